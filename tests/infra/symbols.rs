//! Checks of Bicep that need no type data: names, functions, defaults, modules.

use std::collections::BTreeSet;

use crate::bicep::{Declaration, Expr, Kind, Source};

/// The functions that the templates use. Another one is added here when Microsoft's list of
/// Bicep functions has been looked at.
const FUNCTIONS: [&str; 13] = [
    "empty",
    "environment",
    "guid",
    "loadTextContent",
    "resourceGroup",
    "string",
    "subscriptionResourceId",
    "take",
    "tenant",
    "toLower",
    "union",
    "uniqueString",
    "utcNow",
];

/// Problems of `source`, which may call the modules `modules`.
pub(crate) fn problems(source: &Source, modules: &[Source]) -> Vec<String> {
    let mut found = source.errors.clone();
    let mut names = BTreeSet::new();
    for declaration in &source.declarations {
        let output = matches!(declaration.kind, Kind::Output { .. });
        if !output && !names.insert(declaration.name.clone()) {
            found.push(format!("{} is declared twice", declaration.name));
        }
    }
    for declaration in &source.declarations {
        check(declaration, &names, &mut found);
        if let Kind::Module { file, body } = &declaration.kind {
            check_module(declaration, file, body, modules, &mut found);
        }
    }
    found
}

fn check(declaration: &Declaration, names: &BTreeSet<String>, found: &mut Vec<String>) {
    let name = &declaration.name;
    match &declaration.kind {
        Kind::Param { ty, default } => {
            if let Some(default) = default {
                walk(default, names, found);
                if let Some(is) = type_of(default).filter(|is| is != ty) {
                    found.push(format!("the default of parameter {name} is {is}, not {ty}"));
                }
                check_allowed(declaration, default, found);
            }
        }
        Kind::Var { value } | Kind::Output { value, .. } => walk(value, names, found),
        Kind::Resource { body, .. } | Kind::Module { body, .. } => walk(body, names, found),
    }
}

fn check_allowed(declaration: &Declaration, default: &Expr, found: &mut Vec<String>) {
    let literal = matches!(default, Expr::Text(_) | Expr::Number(_));
    if let (Some([Expr::Array(allowed)]), true) = (declaration.decorator("allowed"), literal)
        && !allowed.contains(default)
    {
        found.push(format!("the default of parameter {} is not allowed", declaration.name));
    }
    let bound = |name| match declaration.decorator(name) {
        Some([Expr::Number(bound)]) => Some(*bound),
        _ => None,
    };
    let size = |minimum, maximum, value: i64| {
        bound(minimum).is_some_and(|least| value < least) || bound(maximum).is_some_and(|most| value > most)
    };
    let outside = match default {
        Expr::Number(value) => size("minValue", "maxValue", *value),
        Expr::Text(text) => size("minLength", "maxLength", i64::try_from(text.len()).unwrap()),
        _ => false,
    };
    if outside {
        found.push(format!("the default of parameter {} is out of bounds", declaration.name));
    }
}

/// The type that a value certainly has.
pub(crate) fn type_of(value: &Expr) -> Option<&'static str> {
    Some(match value {
        Expr::Text(_) | Expr::Template(..) => "string",
        Expr::Number(_) => "int",
        Expr::Bool(_) => "bool",
        Expr::Array(_) | Expr::For(..) => "array",
        Expr::Object(_) => "object",
        _ => return None,
    })
}

fn walk(value: &Expr, names: &BTreeSet<String>, found: &mut Vec<String>) {
    match value {
        Expr::Symbol(name) if !names.contains(name) => found.push(format!("nothing is named {name}")),
        Expr::Call(name, _) if !FUNCTIONS.contains(&name.as_str()) => {
            found.push(format!("there is no function {name}"));
        }
        Expr::Object(members) => {
            let mut seen = BTreeSet::new();
            let twice = members.iter().filter(|(key, _)| !seen.insert(key));
            found.extend(twice.map(|(key, _)| format!("the key {key} is there twice")));
        }
        _ => {}
    }
    if let Expr::For(loop_names, source, body) = value {
        walk(source, names, found);
        let inner: BTreeSet<String> = names.iter().chain(loop_names).cloned().collect();
        walk(body, &inner, found);
    } else {
        value.children().into_iter().for_each(|child| walk(child, names, found));
    }
}

fn check_module(
    declaration: &Declaration,
    file: &str,
    body: &Expr,
    modules: &[Source],
    found: &mut Vec<String>,
) {
    let Some(module) = modules.iter().find(|module| module.path.ends_with(file)) else {
        found.push(format!("there is no module {file}"));
        return;
    };
    let given = body.get("params").map(Expr::keys).unwrap_or_default();
    for name in &given {
        if !module.params().any(|param| param.name == *name) {
            found.push(format!("{file} has no parameter {name}"));
        }
    }
    for param in module.params() {
        let Kind::Param { ty, default } = &param.kind else { continue };
        let value = body.get("params").and_then(|params| params.get(&param.name));
        match (value, default) {
            (None, None) => {
                found.push(format!("module {} is not given {}", declaration.name, param.name));
            }
            (Some(value), _) => {
                if let Some(is) = type_of(value).filter(|is| is != ty) {
                    found.push(format!(
                        "module {} is given {} as {is}, not {ty}",
                        declaration.name, param.name
                    ));
                }
            }
            (None, Some(_)) => {}
        }
    }
}

/// Outputs of modules that are used and that the modules do not have.
pub(crate) fn missing_outputs(main: &Source, modules: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for declaration in &main.declarations {
        match &declaration.kind {
            Kind::Output { value, .. } | Kind::Var { value } => outputs(value, main, modules, &mut found),
            Kind::Module { body, .. } => outputs(body, main, modules, &mut found),
            _ => {}
        }
    }
    found
}

fn outputs(value: &Expr, main: &Source, modules: &[Source], found: &mut Vec<String>) {
    if let Expr::Member(object, output) = value
        && let Expr::Member(module, word) = &**object
        && let (Expr::Symbol(module), "outputs") = (&**module, word.as_str())
        && let Some(Declaration { kind: Kind::Module { file, .. }, .. }) = main.find(module)
    {
        let source = modules.iter().find(|source| source.path.ends_with(file));
        if source.is_some_and(|source| !source.outputs().any(|declared| declared.name == *output)) {
            found.push(format!("{file} has no output {output}"));
        }
    }
    value.children().into_iter().for_each(|child| outputs(child, main, modules, found));
}
