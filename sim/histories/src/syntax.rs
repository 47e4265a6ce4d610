//! Values in JSON and EDN. Both have maps, lists, texts and numbers; EDN has sets, keywords, comments and tags besides.

use std::sync::Arc;

use checkers::history::{Refusal, Value};

/// Values within values, at most.
const DEPTH_MAX: u32 = 64;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syntax {
    Json,
    Edn,
}

/// A place in a text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    syntax: Syntax,
    /// Lines before `counted`.
    lines: u32,
    counted: usize,
    depth: u32,
}

/// A text that is one value.
pub(crate) fn one(text: &str, syntax: Syntax) -> Result<Value, Refusal> {
    let mut reader = Reader::new(text, syntax);
    let value = reader.value()?;
    match reader.peek()? {
        None => Ok(value),
        Some(_) => Err(reader.refuse("there is more after the value")),
    }
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(text: &'a str, syntax: Syntax) -> Self {
        Self { text, at: 0, syntax, lines: 0, counted: 0, depth: 0 }
    }

    /// The line at hand, from 1.
    pub(crate) fn line(&mut self) -> u32 {
        let passed = &self.text.as_bytes()[self.counted..self.at];
        self.lines += passed.split(|&byte| byte == b'\n').count() as u32 - 1;
        self.counted = self.at;
        self.lines + 1
    }

    pub(crate) fn refuse(&mut self, what: impl Into<String>) -> Refusal {
        Refusal { line: self.line(), what: what.into() }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that means something; `None` at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Refusal> {
        loop {
            match (self.byte(), self.syntax) {
                (Some(b' ' | b'\t' | b'\n' | b'\r'), _) | (Some(b',' | 0x0b | 0x0c), Syntax::Edn) => self.at += 1,
                (Some(b';'), Syntax::Edn) => {
                    let rest = &self.text.as_bytes()[self.at..];
                    self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                }
                (Some(b'#'), Syntax::Edn) if self.text.as_bytes().get(self.at + 1) == Some(&b'_') => {
                    self.at += 2;
                    self.value()?;
                }
                (byte, _) => return Ok(byte),
            }
        }
    }

    /// Steps over a byte that must be next.
    pub(crate) fn expect(&mut self, wanted: u8) -> Result<(), Refusal> {
        if self.peek()? == Some(wanted) {
            self.at += 1;
            return Ok(());
        }
        let found = self.found();
        Err(self.refuse(format!("expected `{}`, found {found}", wanted as char)))
    }

    /// Steps over a byte if it is next.
    pub(crate) fn skip(&mut self, wanted: u8) -> Result<bool, Refusal> {
        let there = self.peek()? == Some(wanted);
        self.at += usize::from(there);
        Ok(there)
    }

    fn found(&self) -> String {
        self.text[self.at..].chars().next().map_or_else(|| "the end".into(), |found| format!("`{found}`"))
    }

    /// The next value.
    pub(crate) fn value(&mut self) -> Result<Value, Refusal> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.refuse(format!("more than {DEPTH_MAX} values within each other")));
        }
        let value = match (self.peek()?, self.syntax) {
            (Some(b'{'), _) => self.map().map(Value::map),
            (Some(b'['), _) => self.members(b']').map(Value::list),
            (Some(b'('), Syntax::Edn) => self.members(b')').map(Value::list),
            (Some(b'"'), _) => self.string().map(Value::Text),
            (Some(b'#'), Syntax::Edn) => self.tagged(),
            (Some(b'^'), Syntax::Edn) => {
                self.at += 1;
                self.value()?;
                self.value()
            }
            (Some(b':' | b'\''), Syntax::Edn) => {
                self.at += 1;
                self.word().map(Value::text)
            }
            (Some(b'\\'), Syntax::Edn) => {
                // A character: at least one, whatever it is.
                let length = self.text[self.at + 1..].chars().next().map_or(0, char::len_utf8);
                let start = self.at + 1;
                self.at = start + length;
                while self.byte().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
                    self.at += 1;
                }
                Ok(Value::text(&self.text[start..self.at]))
            }
            (Some(_), _) => self.word().and_then(|word| self.atom(word)),
            (None, _) => Err(self.refuse("expected a value, found the end")),
        };
        self.depth -= 1;
        value
    }

    /// The name of a field of a map.
    pub(crate) fn name(&mut self) -> Result<Value, Refusal> {
        let name = self.value()?;
        if self.syntax == Syntax::Json {
            if name.as_text().is_none() {
                return Err(self.refuse("names in JSON are texts"));
            }
            self.expect(b':')?;
        }
        Ok(name)
    }

    /// Whether a further member follows in something that ends with `close`; steps over what stands between members.
    pub(crate) fn more(&mut self, close: u8, first: bool) -> Result<bool, Refusal> {
        if self.skip(close)? {
            return Ok(false);
        }
        if self.syntax == Syntax::Json && !first {
            self.expect(b',')?;
            if self.peek()? == Some(close) {
                return Err(self.refuse("a comma before the end"));
            }
        }
        if self.peek()?.is_none() {
            return Err(self.refuse(format!("`{}` is missing", close as char)));
        }
        Ok(true)
    }

    fn map(&mut self) -> Result<Vec<(Value, Value)>, Refusal> {
        self.expect(b'{')?;
        let mut entries = Vec::new();
        while self.more(b'}', entries.is_empty())? {
            let name = self.name()?;
            entries.push((name, self.value()?));
        }
        Ok(entries)
    }

    fn members(&mut self, close: u8) -> Result<Vec<Value>, Refusal> {
        self.at += 1;
        let mut members = Vec::new();
        while self.more(close, members.is_empty())? {
            members.push(self.value()?);
        }
        Ok(members)
    }

    fn tagged(&mut self) -> Result<Value, Refusal> {
        self.at += 1;
        if self.byte() == Some(b'{') {
            return self.members(b'}').map(Value::set);
        }
        if self.byte() == Some(b'#') {
            self.at += 1;
            return self.word().and_then(|word| self.atom(word));
        }
        self.word()?;
        self.value()
    }

    /// Steps over a tag, up to what it tags.
    pub(crate) fn tag(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        self.word().map(|_| ())
    }

    fn word(&mut self) -> Result<&'a str, Refusal> {
        let start = self.at;
        let ends = |byte: u8| match self.syntax {
            Syntax::Edn => b" \t\r\n,;\"()[]{}^`~\\".contains(&byte),
            Syntax::Json => b" \t\r\n,:\"[]{}".contains(&byte),
        };
        let rest = &self.text.as_bytes()[start..];
        self.at += rest.iter().position(|&byte| ends(byte)).unwrap_or(rest.len());
        if self.at == start {
            let found = self.found();
            return Err(self.refuse(format!("expected a value, found {found}")));
        }
        Ok(&self.text[start..self.at])
    }

    fn atom(&mut self, word: &str) -> Result<Value, Refusal> {
        let value = match (word, self.syntax) {
            ("nil", Syntax::Edn) | ("null", Syntax::Json) => Value::Nil,
            ("true", _) => Value::Bool(true),
            ("false", _) => Value::Bool(false),
            _ => match number(word) {
                Some(number) => number,
                None if self.syntax == Syntax::Edn => Value::text(word),
                None => return Err(self.refuse(format!("`{word}` is no value of JSON"))),
            },
        };
        Ok(value)
    }

    fn string(&mut self) -> Result<Arc<str>, Refusal> {
        self.at += 1;
        let rest = &self.text[self.at..];
        let plain = rest.bytes().position(|byte| byte == b'"' || byte == b'\\');
        let Some(plain) = plain else { return Err(self.refuse("the text has no end")) };
        if rest.as_bytes()[plain] == b'"' {
            self.at += plain + 1;
            return Ok(rest[..plain].into());
        }
        let mut text = String::new();
        let mut letters = rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += at + 1;
                    return Ok(text.into());
                }
                '\\' => {
                    let Some(letter) = escaped(&mut letters) else {
                        self.at += at;
                        return Err(self.refuse("`\\` is followed by none of \" \\ / b f n r t u"));
                    };
                    text.push(letter);
                }
                letter => text.push(letter),
            }
        }
        Err(self.refuse("the text has no end"))
    }
}

fn escaped(letters: &mut std::str::CharIndices<'_>) -> Option<char> {
    Some(match letters.next()?.1 {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let high = four(letters)?;
            if (0xd800..0xdc00).contains(&high) {
                let pair = letters.next()?.1 == '\\' && letters.next()?.1 == 'u';
                let low = four(letters).filter(|low| pair && (0xdc00..0xe000).contains(low))?;
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
            } else {
                char::from_u32(high)?
            }
        }
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    })
}

fn four(letters: &mut std::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + letters.next()?.1.to_digit(16)?))
}

/// A whole number, or another one as it is written.
fn number(word: &str) -> Option<Value> {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Ok(number) = word.strip_suffix('N').unwrap_or(word).parse::<i64>() {
        return Some(Value::Int(number));
    }
    let allowed = |letter: char| letter.is_ascii_digit() || ".eE+-/MN".contains(letter);
    digits.chars().all(allowed).then(|| Value::Decimal(word.into()))
}
