//! Type data of Azure's resources, as the npm package of tests/infra prints it, and for the types that it
//! lacks as tests/infra/types.json has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A property: its type's name, and whether it must or cannot be set.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) ty: String,
    pub(crate) required: bool,
    pub(crate) read_only: bool,
}

/// An object type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) properties: BTreeMap<String, Property>,
    /// Type of the properties that are not listed, if there may be any.
    pub(crate) additional: Option<String>,
}

/// An object type whose form depends on the value of one of its properties.
#[derive(Clone, Debug)]
pub(crate) struct Variants {
    pub(crate) discriminator: String,
    pub(crate) forms: Vec<Object>,
}

/// The types that a resource's body is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    /// Type and version, as in a declaration.
    pub(crate) name: String,
    pub(crate) body: Object,
    /// Set if the body has several forms.
    pub(crate) variants: Option<Variants>,
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) discriminated: BTreeMap<String, Variants>,
}

/// Type data by resource type.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    by_hand: BTreeMap<String, Schema>,
    read: BTreeMap<String, Option<Schema>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/infra")
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let text = std::fs::read_to_string(folder().join("types.json")).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let by_hand = json.as_object().unwrap().iter().map(|(name, types)| {
            let objects: BTreeMap<String, Object> =
                types.as_object().unwrap().iter().map(|(name, o)| (name.clone(), by_hand(o))).collect();
            let body = objects["resource"].clone();
            let schema = Schema { name: name.clone(), body, objects, ..Schema::default() };
            (name.split('@').next().unwrap().to_owned(), schema)
        });
        Self { by_hand: by_hand.collect(), read: BTreeMap::new() }
    }

    /// The newest type data of a resource type; `None` if there is no such type.
    pub(crate) fn of(&mut self, ty: &str) -> Option<&Schema> {
        if self.by_hand.contains_key(ty) {
            return self.by_hand.get(ty);
        }
        self.read.entry(ty.to_owned()).or_insert_with(|| read(ty)).as_ref()
    }
}

/// Asks the package, whose answers are kept beside it.
fn read(ty: &str) -> Option<Schema> {
    let modules = folder().join("node_modules");
    let program = modules.join(".bin/azmcp-linux-x64");
    assert!(
        program.exists(),
        "the type data is not installed (there is some for Linux on x86-64 only); run tests/run once"
    );
    let kept = modules.join(".types").join(format!("{}.json", ty.replace('/', "_")));
    let answer = std::fs::read(&kept).unwrap_or_else(|_| {
        let output = Command::new(&program)
            .args(["bicepschema", "get", "--resource-type", ty])
            .env("AZURE_MCP_COLLECT_TELEMETRY", "false")
            .output()
            .unwrap();
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        let draft = tempfile::NamedTempFile::new_in(kept.parent().unwrap()).unwrap();
        std::fs::write(draft.path(), &output.stdout).unwrap();
        draft.persist(&kept).unwrap();
        output.stdout
    });
    let start = answer.iter().position(|byte| *byte == b'{').unwrap_or(answer.len());
    let json: Value = serde_json::from_slice(&answer[start..]).ok()?;
    let types = json["results"]["BicepSchemaResult"].as_array()?;
    let mut schema = Schema::default();
    for json in types {
        let name = json["name"].as_str().unwrap().to_owned();
        match json["$type"].as_str().unwrap() {
            "Resource" if name.split('@').next() == Some(ty) => {
                schema.name = name;
                let body = &json["bodyType"];
                match body["$type"].as_str().unwrap() {
                    "Object" => schema.body = object(body),
                    _ => schema.variants = Some(variants(body)),
                }
            }
            "Object" => drop(schema.objects.insert(name, object(json))),
            "DiscriminatedObject" => drop(schema.discriminated.insert(name, variants(json))),
            _ => {}
        }
    }
    (!schema.name.is_empty()).then_some(schema)
}

fn object(json: &Value) -> Object {
    let additional = json["additionalPropertiesType"].as_str().map(str::to_owned);
    let properties = json["properties"].as_array().into_iter().flatten().map(property).collect();
    Object { properties, additional }
}

fn variants(json: &Value) -> Variants {
    let base: Vec<(String, Property)> =
        json["baseProperties"].as_array().into_iter().flatten().map(property).collect();
    let forms = json["elements"].as_array().into_iter().flatten().map(|element| {
        let mut form = object(element);
        form.properties.extend(base.clone());
        form
    });
    Variants { discriminator: json["discriminator"].as_str().unwrap().to_owned(), forms: forms.collect() }
}

fn property(json: &Value) -> (String, Property) {
    let flags = json["flags"].as_str().unwrap_or_default();
    let ty = json["type"].as_str().unwrap().to_owned();
    let property =
        Property { ty, required: flags.contains("Required"), read_only: flags.contains("ReadOnly") };
    (json["name"].as_str().unwrap().to_owned(), property)
}

/// An object of types.json: names and types; `!` marks what must be set.
fn by_hand(json: &Value) -> Object {
    let properties = json.as_object().unwrap().iter().map(|(name, ty)| {
        let required = name.ends_with('!');
        let ty = ty.as_str().unwrap().to_owned();
        (name.trim_end_matches('!').to_owned(), Property { ty, required, read_only: false })
    });
    Object { properties: properties.collect(), additional: None }
}
