//! The bodies of resources against their type data.

use crate::bicep::{Expr, Source};
use crate::schema::{Object, Schema, Schemas, Variants};
use crate::symbols::type_of;

/// What Bicep adds to every resource.
const OF_BICEP: [&str; 3] = ["parent", "scope", "dependsOn"];

/// Problems with the resources of `source`.
pub(crate) fn problems(source: &Source, schemas: &mut Schemas) -> Vec<String> {
    let mut found = Vec::new();
    for (name, ty, version, existing, body) in source.resources() {
        let Some(schema) = schemas.of(ty) else {
            found.push(format!("{name}: there is no resource type {ty}"));
            continue;
        };
        let known = schema.name.rsplit('@').next().unwrap_or_default();
        if known != version {
            found.push(format!("{name}: {ty} has no version {version} in the type data, but {known}"));
        }
        let mut checker = Checker { schema, symbols: source, found: &mut found };
        let body = inner(body);
        match &schema.variants {
            // Of what exists already only the name is given.
            _ if existing => {}
            Some(variants) => checker.variants(name, body, variants),
            None => checker.object(name, body, &schema.body, true),
        }
    }
    found
}

/// The object inside of loops and conditions.
fn inner(body: &Expr) -> &Expr {
    match body {
        Expr::For(_, _, body) | Expr::If(_, body) => inner(body),
        other => other,
    }
}

struct Checker<'a> {
    schema: &'a Schema,
    symbols: &'a Source,
    found: &'a mut Vec<String>,
}

impl Checker<'_> {
    /// `path` says where the value stands.
    fn value(&mut self, path: &str, value: &Expr, ty: &str) {
        match value {
            Expr::Choice(_, yes, no) => {
                self.value(path, yes, ty);
                self.value(path, no, ty);
                return;
            }
            Expr::Symbol(name) if self.symbols.var(name).is_some() => {
                let value = self.symbols.var(name).cloned();
                return value.iter().for_each(|value| self.value(path, value, ty));
            }
            _ => {}
        }
        if let Some(variants) = self.schema.discriminated.get(ty) {
            return self.variants(path, value, &variants.clone());
        }
        if let Some(object) = self.schema.objects.get(ty) {
            return self.object(path, value, &object.clone(), false);
        }
        if let Some(item) = ty.strip_suffix("[]") {
            match value {
                Expr::Array(items) => items.iter().for_each(|value| self.value(path, value, item)),
                other => self.plain(path, other, "array"),
            }
            return;
        }
        match ty {
            "any" | "null" => {}
            "string" | "int" | "bool" | "array" | "object" => self.plain(path, value, ty),
            literals => self.literal(path, value, literals),
        }
    }

    fn plain(&mut self, path: &str, value: &Expr, ty: &str) {
        if let Some(is) = type_of(value).filter(|is| *is != ty) {
            self.found.push(format!("{path} is {is}, not {ty}"));
        }
    }

    /// `A | B | string` lists what is known; even where the set is open, another value is most likely a slip.
    fn literal(&mut self, path: &str, value: &Expr, literals: &str) {
        self.plain(path, value, "string");
        if let Some(text) = value.text()
            && !literals.split(" | ").any(|literal| literal.eq_ignore_ascii_case(text))
        {
            self.found.push(format!("{path} is '{text}', not one of {literals}"));
        }
    }

    fn object(&mut self, path: &str, value: &Expr, object: &Object, resource: bool) {
        let Expr::Object(members) = value else { return self.plain(path, value, "object") };
        for (name, value) in members {
            let place = format!("{path}.{name}");
            match (object.properties.get(name), &object.additional) {
                _ if resource && OF_BICEP.contains(&name.as_str()) => {}
                (Some(property), _) if property.read_only => {
                    self.found.push(format!("{place} cannot be set"));
                }
                // Names are checked by what they are made of, elsewhere.
                (Some(_), _) if resource && name == "name" => self.plain(&place, value, "string"),
                (Some(property), _) => self.value(&place, value, &property.ty),
                (None, Some(additional)) => self.value(&place, value, additional),
                (None, None) => self.found.push(format!("{place} is no property")),
            }
        }
        let missing = object
            .properties
            .iter()
            .filter(|(name, property)| property.required && !property.read_only && value.get(name).is_none());
        self.found.extend(missing.map(|(name, _)| format!("{path} lacks {name}")));
    }

    fn variants(&mut self, path: &str, value: &Expr, variants: &Variants) {
        let chosen = value.get(&variants.discriminator).and_then(Expr::text).unwrap_or_default();
        let form = variants.forms.iter().find(|form| {
            let wanted = form.properties.get(&variants.discriminator);
            wanted.is_some_and(|property| property.ty == chosen)
        });
        match form {
            Some(form) => self.object(path, value, form, path == self.name_of(path)),
            None => self.found.push(format!("{path} has no form for {} '{chosen}'", variants.discriminator)),
        }
    }

    /// The symbolic name at the start of a path.
    fn name_of<'p>(&self, path: &'p str) -> &'p str {
        path.split('.').next().unwrap_or(path)
    }
}
