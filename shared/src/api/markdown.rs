//! Release notes as HTML: GitLab's Markdown, as far as `CommonMark` with tables, task lists,
//! strikethrough, footnotes and bare URLs goes.
//!
//! Everyone who can publish a release can write notes, so notes must not act in a reader's browser:
//! raw HTML is shown as text, links lead to http, https, mailto or relative URLs only, and images come
//! by https only.

use linkify::{LinkFinder, LinkKind};
use pulldown_cmark::{
    Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream,
};
use pulldown_cmark_escape::{escape_href, escape_html};

/// Quotes, lists and emphasis inside each other, beyond which only their text is shown: a browser
/// takes long for thousands of nested elements.
const MAX_DEPTH: usize = 24;
/// Notes whose HTML is longer, in bytes, are shown as plain text.
const MAX_HTML_BYTES: usize = 2 * 1024 * 1024;

/// The notes as HTML. Headings are lowered by `lowered` levels, down to the sixth: the page's own
/// heading stands above them.
#[must_use]
pub fn to_html(markdown: &str, lowered: u8) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES;
    let events = TextMergeStream::new(Parser::new_ext(markdown, options));
    let mut writer = Writer { lowered, ..Writer::default() };
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events.flat_map(|event| writer.harmless(event)));
    if html.len() <= MAX_HTML_BYTES {
        return html;
    }
    html.clear();
    html.push_str("<pre>");
    let _ = escape_html(&mut html, markdown);
    html.push_str("</pre>\n");
    html
}

/// Turns the parser's events into ones that are harmless when written as HTML.
#[derive(Default)]
struct Writer {
    lowered: u8,
    /// Whether each open element is written.
    open: Vec<bool>,
    links: usize,
    images: usize,
    code_blocks: usize,
}

impl Writer {
    fn harmless<'a>(&mut self, event: Event<'a>) -> Vec<Event<'a>> {
        match event {
            Event::Start(tag) => self.start(tag).into_iter().collect(),
            Event::End(end) => self.end(end).into_iter().collect(),
            Event::Text(text) => self.text(text),
            Event::Html(html) | Event::InlineHtml(html) => vec![Event::Text(html)],
            Event::TaskListMarker(is_done) => {
                let (label, checked) = if is_done { ("Done", " checked") } else { ("To do", "") };
                let marker =
                    format!(r#"<input type="checkbox" disabled aria-label="{label}"{checked}> "#);
                vec![Event::InlineHtml(marker.into())]
            }
            Event::FootnoteReference(name) => vec![Event::FootnoteReference(note(&name))],
            Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule => vec![event],
        }
    }

    fn start<'a>(&mut self, tag: Tag<'a>) -> Option<Event<'a>> {
        let fits = self.open.len() < MAX_DEPTH;
        let event = match tag {
            // Raw HTML becomes a paragraph of text.
            Tag::HtmlBlock => Some(Event::Start(Tag::Paragraph)),
            Tag::Heading { level, .. } => Some(Event::Start(Tag::Heading {
                level: self.lower(level),
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            })),
            // The page's policy allows no styles of elements, by which columns would be aligned.
            Tag::Table(columns) => {
                Some(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])))
            }
            Tag::FootnoteDefinition(name) => {
                Some(Event::Start(Tag::FootnoteDefinition(note(&name))))
            }
            Tag::Link { dest_url, title, .. } => (self.images == 0 && is_safe_link(&dest_url))
                .then(|| Event::InlineHtml(link(&dest_url, &title).into())),
            Tag::Image { ref dest_url, .. } => {
                (self.images > 0 || is_safe_image(dest_url)).then_some(Event::Start(tag))
            }
            other => {
                if matches!(other, Tag::CodeBlock(_)) {
                    self.code_blocks += 1;
                }
                Some(Event::Start(other))
            }
        };
        let event = event.filter(|_| fits);
        if let Some(Event::InlineHtml(_)) = &event {
            self.links += 1;
        }
        if let Some(Event::Start(Tag::Image { .. })) = &event {
            self.images += 1;
        }
        self.open.push(event.is_some());
        event
    }

    fn end<'a>(&mut self, end: TagEnd) -> Option<Event<'a>> {
        let is_written = self.open.pop().unwrap_or_default();
        if end == TagEnd::CodeBlock {
            self.code_blocks = self.code_blocks.saturating_sub(1);
        }
        if !is_written {
            return None;
        }
        Some(match end {
            TagEnd::HtmlBlock => Event::End(TagEnd::Paragraph),
            TagEnd::Heading(level) => Event::End(TagEnd::Heading(self.lower(level))),
            TagEnd::Link => {
                self.links = self.links.saturating_sub(1);
                Event::InlineHtml("</a>".into())
            }
            TagEnd::Image => {
                self.images = self.images.saturating_sub(1);
                Event::End(end)
            }
            other => Event::End(other),
        })
    }

    /// A text, with the bare URLs in it as links.
    fn text<'a>(&self, text: CowStr<'a>) -> Vec<Event<'a>> {
        if self.links + self.images + self.code_blocks > 0 || !text.contains("://") {
            return vec![Event::Text(text)];
        }
        let mut events = Vec::new();
        for span in LinkFinder::new().kinds(&[LinkKind::Url]).spans(&text) {
            let shown: CowStr<'a> = span.as_str().to_owned().into();
            if span.kind().is_some() && is_safe_link(&shown) {
                events.push(Event::InlineHtml(link(&shown, "").into()));
                events.push(Event::Text(shown));
                events.push(Event::InlineHtml("</a>".into()));
            } else {
                events.push(Event::Text(shown));
            }
        }
        events
    }

    fn lower(&self, level: HeadingLevel) -> HeadingLevel {
        HeadingLevel::try_from(level as usize + usize::from(self.lowered))
            .unwrap_or(HeadingLevel::H6)
    }
}

/// The id of a footnote: no id of the page's own begins like this.
fn note<'a>(name: &str) -> CowStr<'a> {
    format!("note-{name}").into()
}

fn link(url: &str, title: &str) -> String {
    let mut html = String::from(r#"<a rel="nofollow noopener noreferrer" href=""#);
    let _ = escape_href(&mut html, url);
    if !title.is_empty() {
        html.push_str(r#"" title=""#);
        let _ = escape_html(&mut html, title);
    }
    html.push_str(r#"">"#);
    html
}

/// Whether notes may link here: http, https, mailto, or relative to the page.
fn is_safe_link(url: &str) -> bool {
    match scheme(url) {
        Ok(Some(scheme)) => ["http", "https", "mailto"].contains(&scheme.as_str()),
        Ok(None) => true,
        Err(Unclear) => false,
    }
}

/// Whether notes may show an image from here. Others would not load: the page is served over https,
/// and its policy allows no others.
fn is_safe_image(url: &str) -> bool {
    scheme(url) == Ok(Some("https".to_owned()))
}

/// A URL whose scheme browsers may read differently than it is written: they drop some characters.
#[derive(Debug, PartialEq, Eq)]
struct Unclear;

fn scheme(url: &str) -> Result<Option<String>, Unclear> {
    if url.starts_with(' ') || url.contains(char::is_control) {
        return Err(Unclear);
    }
    let end = url.find([':', '/', '?', '#']).filter(|end| url[*end..].starts_with(':'));
    Ok(end.map(|end| url[..end].to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notes_are_written_as_gitlab_writes_them() {
        for (markdown, html) in [
            ("# A\n## B", "<h2>A</h2>\n<h3>B</h3>\n"),
            ("###### F", "<h6>F</h6>\n"),
            (
                "a **b** _c_ ~~d~~ `e`",
                "<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>\n",
            ),
            (
                "- [x] a\n- [ ] b",
                "<ul>\n<li><input type=\"checkbox\" disabled aria-label=\"Done\" checked> a</li>\n<li><input type=\"checkbox\" disabled aria-label=\"To do\"> b</li>\n</ul>\n",
            ),
            (
                "|a|\n|-|\n|b|",
                "<table><thead><tr><th>a</th></tr></thead><tbody>\n<tr><td>b</td></tr>\n</tbody></table>\n",
            ),
            (
                "a https://e.com/x_y_z?a=1&b. b",
                "<p>a <a rel=\"nofollow noopener noreferrer\" href=\"https://e.com/x_y_z?a=1&amp;b\">https://e.com/x_y_z?a=1&amp;b</a>. b</p>\n",
            ),
            ("`https://e.com`", "<p><code>https://e.com</code></p>\n"),
            (
                "[a](/b \"t\\\"\")",
                "<p><a rel=\"nofollow noopener noreferrer\" href=\"/b\" title=\"t&quot;\">a</a></p>\n",
            ),
            (
                "a[^1]\n\n[^1]: b",
                "<p>a<sup class=\"footnote-reference\"><a href=\"#note-1\">1</a></sup></p>\n<div class=\"footnote-definition\" id=\"note-1\"><sup class=\"footnote-definition-label\">1</sup>\n<p>b</p>\n</div>\n",
            ),
            (
                "![a https://e.com](https://e.com/a.png)",
                "<p><img src=\"https://e.com/a.png\" alt=\"a https://e.com\" /></p>\n",
            ),
        ] {
            assert_eq!(to_html(markdown, 1), html, "{markdown}");
        }
    }

    #[test]
    fn raw_html_and_unsafe_urls_are_text() {
        for (markdown, html) in [
            ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
            ("a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"),
            ("[a](javascript:alert(1))", "<p>a</p>\n"),
            ("[a](JaVaScRiPt:alert(1))", "<p>a</p>\n"),
            ("[a](java&#10;script:alert(1))", "<p>a</p>\n"),
            ("[a](&#1;javascript:alert(1))", "<p>a</p>\n"),
            ("[a](data:text/html,x)", "<p>a</p>\n"),
            ("<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n"),
            ("![a](http://e.com/a.png)", "<p>a</p>\n"),
            ("![a](data:image/svg+xml,x)", "<p>a</p>\n"),
        ] {
            assert_eq!(to_html(markdown, 1), html, "{markdown}");
        }
    }

    #[test]
    fn hostile_notes_take_bounded_room() {
        let all = |text: &str| text.repeat(256 * 1024 / text.len());
        let wide = format!("{}\n{}\n{}", "|a".repeat(2_000), "|-".repeat(2_000), all("|\n"));
        for notes in [
            all(">"),
            all("*a **b "),
            all("- "),
            all("[a]("),
            all("<"),
            all("&\""),
            all("`a"),
            wide,
        ] {
            let html = to_html(&notes, 1);
            assert!(html.len() <= MAX_HTML_BYTES, "{} {}", &notes[..8], html.len());
            let deepest = html.matches("<blockquote>").count();
            assert!(deepest <= MAX_DEPTH, "{deepest}");
        }
    }

    /// The elements and attributes of a text of HTML, or `None` if a `<` begins none.
    fn elements(html: &str) -> Option<Vec<String>> {
        html.split('<').skip(1).map(|rest| Some(rest.split_once('>')?.0.to_owned())).collect()
    }

    proptest! {
        #[test]
        fn only_known_elements_come_of_any_notes(
            notes in "([<>\"'&=/!:#*_`~|\\[\\]()^ \n-]|javascript:|https://e.com|<img src=x onerror=y>|on[a-z]=|\\PC){0,60}",
        ) {
            let html = to_html(&notes, 1);
            for element in elements(&html).unwrap() {
                let name = element.trim_start_matches('/').split(' ').next().unwrap();
                prop_assert!(
                    [
                        "p", "h2", "h3", "h4", "h5", "h6", "em", "strong", "del", "code", "pre", "ul",
                        "ol", "li", "a", "img", "blockquote", "table", "thead", "tbody", "tr", "th",
                        "td", "hr", "br", "br/", "input", "sup", "div",
                    ].contains(&name),
                    "{element} in {html}"
                );
                // Between quotes stands what was escaped.
                let outside: String = element.split('"').step_by(2).collect();
                for attribute in outside.split([' ', '=']).skip(1).filter(|text| !text.is_empty()) {
                    prop_assert!(
                        [
                            "rel", "href", "title", "src", "alt", "type", "disabled", "aria-label",
                            "checked", "class", "id", "start", "/",
                        ].contains(&attribute),
                        "{attribute} in {html}"
                    );
                }
                prop_assert!(!element.contains("javascript:") || !element.contains("href=\"javascript"), "{html}");
            }
        }
    }
}
