//! Writes the page: elements that are always closed, text and attributes that are always escaped.
//!
//! Names of elements and attributes are ours (`&'static str`), everything else goes through [`escaped`]. So no name of a
//! scenario can break out of its place, and the page is well-formed XML as well as HTML5.

/// A piece of the page.
#[derive(Clone, Default, Debug)]
pub(crate) struct Markup {
    text: String,
}

/// Name and value of an attribute; the value is escaped.
pub(crate) type Attribute<'a> = (&'static str, &'a str);

impl Markup {
    /// An element and what stands in it.
    pub(crate) fn node(
        &mut self,
        tag: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.start(tag, attributes);
        self.text.push('>');
        inside(self);
        self.text.push_str("</");
        self.text.push_str(tag);
        self.text.push('>');
        if BLOCKS.contains(&tag) {
            self.text.push('\n');
        }
        self
    }

    /// An element with nothing but text.
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: &[Attribute<'_>], text: &str) -> &mut Self {
        self.node(tag, attributes, |inside| {
            inside.say(text);
        })
    }

    /// An element that is always empty: `<meta/>`, `<line/>`.
    pub(crate) fn void(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) -> &mut Self {
        self.start(tag, attributes);
        self.text.push_str("/>");
        self
    }

    /// Text.
    pub(crate) fn say(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.text);
        self
    }

    /// A part of our own that is already written: a style sheet, a section.
    pub(crate) fn part(&mut self, part: &Self) -> &mut Self {
        self.text.push_str(&part.text);
        self
    }

    /// A file of ours, as it is.
    pub(crate) fn ours(text: &'static str) -> Self {
        Self { text: text.to_owned() }
    }

    /// The text of all that was written.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn start(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.text.push('<');
        self.text.push_str(tag);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(value, &mut self.text);
            self.text.push('"');
        }
    }
}

/// Elements after which a line ends, so that the file can be read and compared.
const BLOCKS: [&str; 22] = [
    "html", "head", "title", "style", "script", "body", "header", "nav", "main", "section", "article", "h1", "h2",
    "h3", "p", "div", "dl", "table", "tr", "svg", "details", "footer",
];

/// Writes a text so that it stays text in an element and in an attribute. What XML forbids becomes `�`.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_text_or_attributes() {
        let mut markup = Markup::default();
        markup.leaf("p", &[("title", "\"><script>'&\u{1}")], "</p><script>&\u{1b}");
        let expected =
            "<p title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\u{FFFD}\">&lt;/p&gt;&lt;script&gt;&amp;\u{FFFD}</p>\n";
        assert_eq!(markup.into_text(), expected);
    }
}
