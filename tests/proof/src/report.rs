//! The figures of a proof: a table for people, JSON for programs.

use comfy_table::{Table, presets};
use serde_json::{Map, Value};

/// Names and figures, in the order of the columns.
pub(crate) type Row = Vec<(&'static str, Value)>;

/// Prints these rows, which all have the same names, and returns them as JSON.
pub(crate) fn report(rows: Vec<Row>) -> Value {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    if let Some(first) = rows.first() {
        table.set_header(first.iter().map(|(name, _)| name));
    }
    for row in &rows {
        table.add_row(row.iter().map(|(_, figure)| cell(figure)));
    }
    println!("{table}\n");
    let object = |row: Row| -> Map<String, Value> {
        row.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect()
    };
    rows.into_iter().map(object).collect::<Vec<_>>().into()
}

fn cell(figure: &Value) -> String {
    match figure {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            format!("{:.3}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}
