//! A tree that is written as JSON or as XML, for the formats that differ in nothing else.

use std::io::{self, Write};

use super::escape;

/// A value of the schema `NCBI_BlastOutput2`.
pub(super) enum Value<'a> {
    /// A string.
    Text(String),
    /// A number, ready to be printed.
    Number(String),
    /// Named values in order. XML wraps them in an element named by their type.
    Object(&'static str, Vec<(&'static str, Value<'a>)>),
    /// Objects of one type; or texts, which XML has in an element each.
    List(Vec<Value<'a>>),
    /// So many objects of one type, made one after the other when they are written.
    Made(usize, Box<Maker<'a>>),
}

/// Hands each object over.
pub(super) type Maker<'a> = dyn Fn(&mut dyn FnMut(&Value<'_>) -> io::Result<()>) -> io::Result<()> + 'a;

impl Value<'_> {
    /// A whole number.
    pub(super) fn count(number: impl Into<i64>) -> Self {
        Self::Number(number.into().to_string())
    }
}

/// Steps of indentation.
const STEP: usize = 2;

/// Writes `"name": value`, without a line break at the end.
pub(super) fn write_json(
    out: &mut impl Write,
    indent: usize,
    name: &str,
    value: &Value<'_>,
) -> io::Result<()> {
    write!(out, "{:indent$}{}: ", "", escape::json(name))?;
    write_json_value(out, indent, value)
}

fn write_json_value(out: &mut impl Write, indent: usize, value: &Value<'_>) -> io::Result<()> {
    let inner = indent + STEP;
    match value {
        Value::Text(text) => out.write_all(escape::json(text).as_bytes()),
        Value::Number(number) => out.write_all(number.as_bytes()),
        Value::Object(_, members) => {
            out.write_all(b"{\n")?;
            for (place, (name, member)) in members.iter().enumerate() {
                write_json(out, inner, name, member)?;
                out.write_all(if place + 1 < members.len() { b",\n" } else { b"\n" })?;
            }
            write!(out, "{:indent$}}}", "")
        }
        Value::List(items) => {
            out.write_all(b"[\n")?;
            for (place, item) in items.iter().enumerate() {
                write!(out, "{:inner$}", "")?;
                write_json_value(out, inner, item)?;
                out.write_all(if place + 1 < items.len() { b",\n" } else { b"\n" })?;
            }
            write!(out, "{:indent$}]", "")
        }
        Value::Made(count, make) => {
            out.write_all(b"[\n")?;
            let mut written = 0;
            make(&mut |item| {
                write!(out, "{:inner$}", "")?;
                write_json_value(out, inner, item)?;
                written += 1;
                out.write_all(if written < *count { b",\n" } else { b"\n" })
            })?;
            write!(out, "{:indent$}]", "")
        }
    }
}

/// Writes `<name>value</name>` on lines of their own; names have hyphens for underscores.
pub(super) fn write_xml(
    out: &mut impl Write,
    indent: usize,
    name: &str,
    value: &Value<'_>,
) -> io::Result<()> {
    let name = name.replace('_', "-");
    match value {
        Value::Text(text) => writeln!(out, "{:indent$}<{name}>{}</{name}>", "", escape::xml(text)),
        Value::Number(number) => writeln!(out, "{:indent$}<{name}>{number}</{name}>", ""),
        Value::Made(0, _) => writeln!(out, "{:indent$}<{name}></{name}>", ""),
        Value::List(items) if items.is_empty() => writeln!(out, "{:indent$}<{name}></{name}>", ""),
        Value::List(items) if items.iter().all(|item| matches!(item, Value::Text(_))) => {
            items.iter().try_for_each(|item| write_xml(out, indent, &name, item))
        }
        Value::Object(..) => {
            writeln!(out, "{:indent$}<{name}>", "")?;
            write_xml_object(out, indent + STEP, value)?;
            writeln!(out, "{:indent$}</{name}>", "")
        }
        Value::List(items) => {
            writeln!(out, "{:indent$}<{name}>", "")?;
            items.iter().try_for_each(|item| write_xml_object(out, indent + STEP, item))?;
            writeln!(out, "{:indent$}</{name}>", "")
        }
        Value::Made(_, make) => {
            writeln!(out, "{:indent$}<{name}>", "")?;
            make(&mut |item| write_xml_object(out, indent + STEP, item))?;
            writeln!(out, "{:indent$}</{name}>", "")
        }
    }
}

/// Writes the members of an object inside an element named by its type.
fn write_xml_object(out: &mut impl Write, indent: usize, value: &Value<'_>) -> io::Result<()> {
    let Value::Object(kind, members) = value else { return Ok(()) };
    writeln!(out, "{:indent$}<{kind}>", "")?;
    members.iter().try_for_each(|(name, member)| write_xml(out, indent + STEP, name, member))?;
    writeln!(out, "{:indent$}</{kind}>", "")
}
