//! Route templates of HTTP functions and their choice: tried in function-name order, first match
//! wins, literals have no precedence over parameters, case is ignored.

use anyhow::{bail, ensure};

/// A parsed route template such as `searches/{id}/results`.
///
/// Understands literals, `{name}`, `{name?}`, `{*rest}` and `{name:maxlength(0)?}`, by which a function has
/// the address `/`; other constraints such as `{id:int}` are refused, because the project has no use for them.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Literal(String),
    Parameter,
    Optional,
    /// A last segment that has to be empty, as nothing is.
    Nothing,
    CatchAll,
}

impl Template {
    /// Parses `prefix/route`. Routes under `admin` and `runtime` belong to the host and are refused.
    pub(crate) fn parse(prefix: &str, route: &str) -> anyhow::Result<Self> {
        let first = route.split('/').next().unwrap_or_default().to_ascii_lowercase();
        ensure!(!matches!(first.as_str(), "admin" | "runtime"), "route {route:?} belongs to the host");
        let mut segments = Vec::new();
        for text in parts(prefix).chain(parts(route)) {
            ensure!(
                !matches!(segments.last(), Some(Segment::CatchAll | Segment::Optional | Segment::Nothing)),
                "route {route:?}: only the last segment may be optional or a catch-all"
            );
            segments.push(Segment::parse(text)?);
        }
        Ok(Self { segments })
    }

    /// Whether a request path, with its leading slash, matches.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut path = parts(path);
        for segment in &self.segments {
            match (segment, path.next()) {
                (Segment::CatchAll, _) => return true,
                (Segment::Optional, _) | (Segment::Parameter, Some(_)) | (Segment::Nothing, None) => {}
                (Segment::Literal(literal), Some(part)) if literal.eq_ignore_ascii_case(part) => {}
                _ => return false,
            }
        }
        path.next().is_none()
    }

    /// A path that matches, with `value` for every parameter.
    pub(crate) fn example(&self, value: &str) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Literal(literal) => path.push_str(literal),
                Segment::Nothing => {}
                _ => path.push_str(value),
            }
        }
        path
    }
}

impl Segment {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            ensure!(!text.contains(['{', '}']), "route segment {text:?} mixes text and parameters");
            return Ok(Self::Literal(text.to_owned()));
        };
        if inner.ends_with(":maxlength(0)?") {
            return Ok(Self::Nothing);
        }
        if inner.contains([':', '=']) {
            bail!("route segment {text:?}: constraints and defaults are not understood here");
        }
        Ok(if inner.starts_with('*') {
            Self::CatchAll
        } else if inner.ends_with('?') {
            Self::Optional
        } else {
            Self::Parameter
        })
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
