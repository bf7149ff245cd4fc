//! Drawings as SVG: for files of their own, and for HTML pages whose style colours them.
//!
//! A [`Canvas`] takes shapes as markup and words as plain text, so that text is escaped in one place. Drawings carry no
//! identifiers: their first children name and describe them, which is what readers of the page go by, so that any
//! number of them stand on one page.

#![forbid(unsafe_code)]

use std::fmt::{self, Write as _};

/// Text as it stands in SVG and HTML, in elements and in attributes. Control characters, which neither allows, are left
/// out; line ends and tabs are spaces.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// What a drawing is made on. Lengths are in the drawing's own units, from the upper left corner.
#[derive(Clone, Debug, Default)]
pub struct Canvas {
    inside: String,
}

impl Canvas {
    /// An empty one.
    pub fn new() -> Self {
        Canvas::default()
    }

    /// Adds markup: elements, numbers and fixed words. Whatever else has letters goes through [`text`](Self::text) and
    /// [`title`](Self::title).
    pub fn shape(&mut self, markup: fmt::Arguments<'_>) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = self.inside.write_fmt(markup);
        self
    }

    /// Adds words, as a `text` element with these attributes.
    pub fn text(&mut self, attributes: fmt::Arguments<'_>, words: &str) -> &mut Self {
        self.shape(format_args!("<text {attributes}>{}</text>", escape(words)))
    }

    /// Says what the element is that stands open: shown when it is pointed at.
    pub fn title(&mut self, words: &str) -> &mut Self {
        self.shape(format_args!("<title>{}</title>", escape(words)))
    }

    /// A drawing for a file of its own, on white.
    pub fn alone(self, width: f64, height: f64, title: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" role=\"img\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            escape(title),
            self.inside
        )
    }

    /// A drawing inside a page, with its description for those who do not see it.
    pub fn inline(self, width: f64, height: f64, title: &str, description: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {width} {height:.0}\" role=\"img\"><title>{}</title><desc>{}</desc>{}</svg>",
            escape(title),
            escape(description),
            self.inside
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_in_elements_and_attributes() {
        assert_eq!(escape("a < b & \"c\" > 'd'"), "a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39;");
        assert_eq!(escape("größe \u{2192} 1"), "größe \u{2192} 1");
    }

    #[test]
    fn control_characters_do_not_get_in() {
        assert_eq!(escape("a\0\u{1b}[1mb\u{7f}\u{85}\u{ffff}c"), "a[1mbc");
        assert_eq!(escape("two\nlines\tand"), "two lines and");
    }

    #[test]
    fn words_are_escaped_wherever_they_stand() {
        let mut canvas = Canvas::new();
        canvas.shape(format_args!("<g>")).title("<a>").text(format_args!("x=\"{}\"", 1.5), "<b>");
        canvas.shape(format_args!("</g>"));
        let inside = "<g><title>&lt;a&gt;</title><text x=\"1.5\">&lt;b&gt;</text></g>";
        let alone = canvas.clone().alone(10.4, 20.0, "<c>");
        assert!(alone.starts_with("<svg xmlns=") && alone.contains("viewBox=\"0 0 10 20\""), "{alone}");
        assert!(alone.contains("<title>&lt;c&gt;</title>") && alone.ends_with(&format!("{inside}</svg>\n")), "{alone}");
        let inline = canvas.inline(640.0, 20.0, "<c>", "<d>");
        assert_eq!(
            inline,
            format!(
                "<svg viewBox=\"0 0 640 20\" role=\"img\"><title>&lt;c&gt;</title><desc>&lt;d&gt;</desc>{inside}</svg>"
            )
        );
    }
}
