//! Stripe's bracketed form fields: `metadata[purchase_id]=…`, `line_items[0][price_data][unit_amount]=…`.

use serde_json::{Map, Value, json};

/// The parameters of a call, of its body or of its query.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads what stands in a body or query.
    pub(super) fn parse(bytes: &[u8]) -> Form {
        Form(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// A parameter; an empty one is none, as with Stripe.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone())
    }

    /// A whole number above zero.
    pub(super) fn cents(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok().filter(|cents| *cents > 0)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).as_deref() == Some("true")
    }

    /// All members of `name[…]`.
    pub(super) fn members(&self, name: &str) -> Value {
        let mut members = Map::new();
        for (key, value) in &self.0 {
            let member = key.strip_prefix(name).and_then(|k| k.strip_prefix('[')).and_then(|k| k.strip_suffix(']'));
            if let Some(member) = member {
                members.insert(member.to_owned(), json!(value));
            }
        }
        Value::Object(members)
    }

    /// All parameters in a fixed order, to compare calls by.
    pub(super) fn canonical(&self) -> String {
        let mut all = self.0.clone();
        all.sort();
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bracketed_fields_are_read() {
        let form = Form::parse(b"a%5Bx%5D=1&a[y]=2&b=&c=7&confirm=true");
        assert_eq!(form.members("a"), json!({ "x": "1", "y": "2" }));
        assert_eq!((form.get("b"), form.cents("c"), form.cents("a[z]")), (None, Some(7), None));
        assert!(form.flag("confirm"));
        assert_eq!(form.canonical(), Form::parse(b"c=7&confirm=true&b=&a[y]=2&a[x]=1").canonical());
    }
}
