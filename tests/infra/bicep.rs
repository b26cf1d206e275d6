//! Bicep as data: tree-sitter's tree turned into declarations and expressions.

use std::path::{Path, PathBuf};

use tree_sitter::{Node, Parser};

/// An expression. Operators keep their operands only; no check needs more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Text(String),
    /// Text with `${…}` in it, as written, and the expressions.
    Template(String, Vec<Expr>),
    Number(i64),
    Bool(bool),
    Null,
    Array(Vec<Expr>),
    Object(Vec<(String, Expr)>),
    Symbol(String),
    Member(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `[for item in source: body]`, with the names of item and index.
    For(Vec<String>, Box<Expr>, Box<Expr>),
    /// `if (condition) body`
    If(Box<Expr>, Box<Expr>),
    Operator(Vec<Expr>),
}

impl Expr {
    /// The member `name` of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Expr> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::For(_, _, body) | Self::If(_, body) => body.get(name),
            _ => None,
        }
    }

    /// The value below `path`, names joined by dots.
    pub(crate) fn at(&self, path: &str) -> Option<&Expr> {
        path.split('.').try_fold(self, |value, name| value.get(name))
    }

    /// A text without holes.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of an array.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Array(items) => items.iter().filter_map(Expr::text).collect(),
            _ => Vec::new(),
        }
    }

    /// The names of an object's members.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Object(members) => members.iter().map(|(key, _)| key.as_str()).collect(),
            _ => Vec::new(),
        }
    }
}

/// What a declaration declares.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Param {
        ty: String,
        default: Option<Expr>,
    },
    Var {
        value: Expr,
    },
    Output {
        ty: String,
        value: Expr,
    },
    /// `body` may be wrapped into `For` and `If`.
    Resource {
        ty: String,
        version: String,
        existing: bool,
        body: Expr,
    },
    Module {
        file: String,
        body: Expr,
    },
}

/// A declaration with its decorators, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) decorators: Vec<(String, Vec<Expr>)>,
}

impl Declaration {
    /// The arguments of a decorator.
    pub(crate) fn decorator(&self, name: &str) -> Option<&[Expr]> {
        self.decorators.iter().find(|(n, _)| n == name).map(|(_, arguments)| arguments.as_slice())
    }
}

/// A file of declarations.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) declarations: Vec<Declaration>,
    /// What the grammar does not understand, as `line: text`.
    pub(crate) errors: Vec<String>,
}

impl Source {
    /// Parses `text`, which is or might be the content of `path`.
    pub(crate) fn parse(path: &Path, text: String) -> Self {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_bicep::LANGUAGE.into()).unwrap();
        let tree = parser.parse(&text, None).unwrap();
        let reader = Reader { text: &text };
        let mut errors = Vec::new();
        reader.errors(tree.root_node(), &mut errors);
        let declarations = if errors.is_empty() { reader.declarations(tree.root_node()) } else { Vec::new() };
        Self { path: path.to_owned(), declarations, errors, text }
    }

    /// The declaration of `name` that `choose` accepts.
    pub(crate) fn find(&self, name: &str) -> Option<&Declaration> {
        self.declarations.iter().find(|declaration| declaration.name == name)
    }

    pub(crate) fn params(&self) -> impl Iterator<Item = &Declaration> {
        self.declarations.iter().filter(|d| matches!(d.kind, Kind::Param { .. }))
    }

    pub(crate) fn outputs(&self) -> impl Iterator<Item = &Declaration> {
        self.declarations.iter().filter(|d| matches!(d.kind, Kind::Output { .. }))
    }

    /// Symbolic name, type, version, whether it exists already, and body of every resource.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &str, &str, bool, &Expr)> {
        self.declarations.iter().filter_map(|d| match &d.kind {
            Kind::Resource { ty, version, existing, body } => {
                Some((d.name.as_str(), ty.as_str(), version.as_str(), *existing, body))
            }
            _ => None,
        })
    }

    /// The bodies of the resources of a type.
    pub(crate) fn of_type(&self, wanted: &str) -> Vec<&Expr> {
        self.resources().filter(|(_, ty, _, old, _)| *ty == wanted && !old).map(|(.., body)| body).collect()
    }

    /// The value of a variable.
    pub(crate) fn var(&self, name: &str) -> Option<&Expr> {
        match &self.find(name)?.kind {
            Kind::Var { value } => Some(value),
            _ => None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn errors(&self, node: Node<'_>, found: &mut Vec<String>) {
        if node.is_error() || node.is_missing() {
            let line = node.start_position().row + 1;
            let text: String = self.of(node).chars().take(40).collect();
            found.push(format!("line {line}: {text:?} is not Bicep"));
        } else {
            children(node).for_each(|child| self.errors(child, found));
        }
    }

    fn of(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    fn declarations(&self, root: Node<'_>) -> Vec<Declaration> {
        let (mut found, mut decorators) = (Vec::new(), Vec::new());
        for node in named(root) {
            match node.kind() {
                "decorators" => decorators = named(node).map(|d| self.decorator(d)).collect(),
                "comment" | "target_scope_assignment" => {}
                kind => {
                    let parts: Vec<Node<'_>> = named(node).collect();
                    let decorators = std::mem::take(&mut decorators);
                    let kind = self.kind(kind, &parts, self.of(node));
                    found.push(Declaration { name: self.of(parts[0]).to_owned(), kind, decorators });
                }
            }
        }
        found
    }

    fn kind(&self, kind: &str, parts: &[Node<'_>], text: &str) -> Kind {
        let last = || self.expr(parts[parts.len() - 1]);
        match kind {
            "parameter_declaration" => {
                Kind::Param { ty: self.of(parts[1]).to_owned(), default: (parts.len() > 2).then(last) }
            }
            "variable_declaration" => Kind::Var { value: last() },
            "output_declaration" => Kind::Output { ty: self.of(parts[1]).to_owned(), value: last() },
            "resource_declaration" => {
                let name = self.of(parts[1]).trim_matches('\'');
                let (ty, version) = name.split_once('@').unwrap_or((name, ""));
                let existing = text.lines().next().unwrap_or_default().contains("' existing =");
                Kind::Resource { ty: ty.to_owned(), version: version.to_owned(), existing, body: last() }
            }
            "module_declaration" => {
                Kind::Module { file: self.of(parts[1]).trim_matches('\'').to_owned(), body: last() }
            }
            other => panic!("a declaration of a kind that no check knows: {other}"),
        }
    }

    fn decorator(&self, node: Node<'_>) -> (String, Vec<Expr>) {
        match named(node).next().map(|call| self.expr(call)) {
            Some(Expr::Call(name, arguments)) => (name, arguments),
            Some(Expr::Symbol(name)) => (name, Vec::new()),
            other => panic!("a decorator of a kind that no check knows: {other:?}"),
        }
    }

    fn all(&self, node: Node<'_>) -> Vec<Expr> {
        named(node).filter(|child| child.kind() != "comment").map(|child| self.expr(child)).collect()
    }

    fn expr(&self, node: Node<'_>) -> Expr {
        let field = |name| Box::new(self.expr(node.child_by_field_name(name).unwrap()));
        match node.kind() {
            "string" => self.string(node),
            "number" => Expr::Number(self.of(node).parse().unwrap()),
            "boolean" => Expr::Bool(self.of(node) == "true"),
            "null" => Expr::Null,
            "array" => Expr::Array(self.all(node)),
            "object" => {
                let members = named(node).filter(|child| child.kind() == "object_property");
                Expr::Object(members.map(|member| self.member(member)).collect())
            }
            "identifier" => Expr::Symbol(self.of(node).to_owned()),
            "member_expression" => {
                let property = node.child_by_field_name("property").unwrap();
                Expr::Member(field("object"), self.of(property).to_owned())
            }
            "subscript_expression" => Expr::Index(field("object"), field("index")),
            "call_expression" => {
                let arguments = self.all(node.child_by_field_name("arguments").unwrap());
                Expr::Call(self.of(node.child_by_field_name("function").unwrap()).to_owned(), arguments)
            }
            "ternary_expression" => {
                Expr::Choice(field("condition"), field("consequence"), field("alternative"))
            }
            "for_statement" => {
                let parts: Vec<Node<'_>> = named(node).collect();
                let names = match parts[0].kind() {
                    "for_loop_parameters" => named(parts[0]).map(|n| self.of(n).to_owned()).collect(),
                    _ => vec![self.of(parts[0]).to_owned()],
                };
                Expr::For(names, Box::new(self.expr(parts[1])), field("body"))
            }
            "if_statement" => {
                let parts = self.all(node);
                let [condition, body] = <[Expr; 2]>::try_from(parts).unwrap();
                Expr::If(Box::new(condition), Box::new(body))
            }
            "unary_expression" | "binary_expression" | "parenthesized_expression" => {
                Expr::Operator(self.all(node))
            }
            other => panic!("an expression of a kind that no check knows: {other}: {}", self.of(node)),
        }
    }

    fn member(&self, node: Node<'_>) -> (String, Expr) {
        let parts: Vec<Node<'_>> = named(node).collect();
        let key = match self.expr(parts[0]) {
            Expr::Text(text) | Expr::Template(text, _) | Expr::Symbol(text) => text,
            other => panic!("a key of a kind that no check knows: {other:?}"),
        };
        (key, self.expr(parts[1]))
    }

    fn string(&self, node: Node<'_>) -> Expr {
        let (mut text, mut holes) = (String::new(), Vec::new());
        for part in named(node) {
            match part.kind() {
                "escape_sequence" => text.push_str(match self.of(part) {
                    "\\n" => "\n",
                    other => &other[1..],
                }),
                "interpolation" => {
                    text.push_str(self.of(part));
                    holes.extend(self.all(part));
                }
                _ => text.push_str(self.of(part)),
            }
        }
        if holes.is_empty() { Expr::Text(text) } else { Expr::Template(text, holes) }
    }
}

fn children<'t>(node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    (0..node.child_count()).filter_map(move |index| node.child(index))
}

fn named<'t>(node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    children(node).filter(|child| child.is_named())
}
