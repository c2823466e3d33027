//! HEAD in the contract: GET, with responses without bodies.

const GET: &str = "    get:";
const HEAD: &str = "    head:";
/// The indentation of an operation's lines.
const INSIDE: &str = "      ";

pub(crate) fn render(contract: &str) -> Result<String, String> {
    let mut rendered = Vec::new();
    let mut lines = contract.lines().peekable();
    while let Some(line) = lines.next() {
        if line != GET {
            rendered.push(line.to_owned());
            continue;
        }
        let get = block(&mut lines);
        rendered.push(line.to_owned());
        rendered.extend(get.iter().map(|&line| line.to_owned()));
        let written = lines.next_if_eq(&HEAD).map(|_| block(&mut lines));
        rendered.push(HEAD.to_owned());
        // HEAD of a branch is an operation of its own in GitLab, and described as one.
        match written.filter(|head| head.iter().any(|line| key(line) == Some("description"))) {
            Some(own) => rendered.extend(own.into_iter().map(str::to_owned)),
            None => rendered.extend(head(&get)?),
        }
    }
    Ok(rendered.join("\n") + "\n")
}

/// The lines of an operation.
fn block<'a>(lines: &mut std::iter::Peekable<std::str::Lines<'a>>) -> Vec<&'a str> {
    std::iter::from_fn(|| lines.next_if(|line| line.starts_with(INSIDE))).collect()
}

/// The key of an operation's own line.
fn key(line: &str) -> Option<&str> {
    let inside = line.strip_prefix(INSIDE).filter(|inside| !inside.starts_with(' '))?;
    inside.split_once(':').map(|(key, _)| key)
}

fn head(get: &[&str]) -> Result<Vec<String>, String> {
    let id = get.iter().find_map(|line| line.trim().strip_prefix("operationId: "));
    let id = id.ok_or("a GET has no operationId")?;
    let is_list = id.starts_with("list");
    let (first, rest) = id.trim_start_matches("get").trim_start_matches("list").split_at(1);
    let mut head = Vec::new();
    let mut section = None;
    for line in get {
        section = key(line).or(section);
        let response = line.trim().strip_prefix('"').and_then(|line| line.split('"').next());
        head.push(match (section, response) {
            (Some("operationId"), _) => {
                format!("{INSIDE}operationId: head{}{rest}", first.to_uppercase())
            }
            (Some("summary"), _) => format!("{INSIDE}summary: The headers of GET"),
            (Some("description"), _) => continue,
            (Some("responses"), Some(status)) if status != "304" => {
                let name = match status {
                    "200" if is_list => "HeadOfPage",
                    "200" => "HeadOfOne",
                    "302" => "HeadOfRedirect",
                    _ => "HeadOfError",
                };
                format!("{INSIDE}  \"{status}\": {{$ref: \"#/components/responses/{name}\"}}")
            }
            _ => (*line).to_owned(),
        });
    }
    Ok(head)
}
