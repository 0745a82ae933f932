//! Reads a JSON value as serde_json does, and knows the place of what is wrong.

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value, map};

use super::wrong::{Step, Wrong};

/// Begins the name under which serde_json asks for JSON as it stands.
const AS_IT_STANDS: &str = "$serde_json::private::";

/// A value, and where in the body it is.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    value: &'a Value,
    place: Place<'a>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Body,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl Place<'_> {
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut place = self;
        loop {
            (place, _) = match place {
                Place::Body => break,
                Place::Key(parent, key) => (*parent, steps.push(Step::Key((*key).to_owned()))),
                Place::Index(parent, index) => (*parent, steps.push(Step::Index(*index))),
            };
        }
        steps.reverse();
        steps
    }
}

impl<'a> Reader<'a> {
    pub(super) const fn new(value: &'a Value) -> Self {
        let place = Place::Body;
        Self { value, place }
    }

    fn invalid(self, expected: &dyn Expected) -> Wrong {
        let unexpected = match self.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Wrong::invalid_type(unexpected, expected)
    }

    fn list<'de, V: Visitor<'de>>(self, list: &[Value], visitor: V) -> Result<V::Value, Wrong> {
        let mut items = Items {
            rest: list.iter().enumerate(),
            place: &self.place,
        };
        let value = visitor.visit_seq(&mut items)?;
        if items.rest.len() > 0 {
            return Err(Wrong::invalid_length(
                list.len(),
                &"fewer elements in array",
            ));
        }
        Ok(value)
    }

    fn object<'de, V: Visitor<'de>>(
        self,
        object: &Map<String, Value>,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let mut fields = Fields {
            rest: object.iter(),
            value: None,
            place: &self.place,
        };
        let value = visitor.visit_map(&mut fields)?;
        if fields.rest.len() > 0 {
            return Err(Wrong::invalid_length(
                object.len(),
                &"fewer elements in map",
            ));
        }
        Ok(value)
    }

    /// Reads with `read`, and says where it was if that fails, and what the visitor wanted.
    fn placed<'de, V, F>(self, visitor: V, read: F) -> Result<V::Value, Wrong>
    where
        V: Visitor<'de>,
        F: FnOnce(Self, V) -> Result<V::Value, Wrong>,
    {
        let expected = (&visitor as &dyn Expected).to_string();
        read(self, visitor).map_err(|wrong| wrong.at(|| self.place.steps(), &expected))
    }
}

/// What is asked for by its form is given in that form only.
macro_rules! only {
    ($($form:pat => $($method:ident)+;)+) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.value {
                $form => self.deserialize_any(visitor),
                _ => self.placed(visitor, |this, visitor| Err(this.invalid(&visitor))),
            }
        }
    )+)+};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.placed(visitor, |this, visitor| match this.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(list) => this.list(list, visitor),
            Value::Object(object) => this.object(object, visitor),
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.placed(visitor, |this, visitor| match this.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(this),
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.placed(visitor, |this, visitor| {
            if name.starts_with(AS_IT_STANDS) {
                let value = this.value.clone();
                let read = value.deserialize_newtype_struct(name, visitor);
                return read.map_err(Wrong::custom);
            }
            visitor.visit_newtype_struct(this)
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let expected = (&visitor as &dyn Expected).to_string();
        let not_one = |_| Wrong::expected(&expected).at(|| self.place.steps(), &expected);
        match self.value {
            Value::Object(_) => self.deserialize_any(visitor),
            // serde takes a list of a struct's values too. Who did not mean that is not told about the first of them.
            Value::Array(_) => self.deserialize_any(visitor).map_err(not_one),
            _ => Err(not_one(self.invalid(&visitor))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.placed(visitor, |this, visitor| {
            let (variant, content) = match this.value {
                Value::String(variant) => (variant, None),
                Value::Object(object) if object.len() == 1 => match object.iter().next() {
                    Some((variant, content)) => (variant, Some(content)),
                    None => return Err(Wrong::variants(variants)),
                },
                _ => return Err(Wrong::variants(variants)),
            };
            let place = Place::Key(&this.place, variant);
            visitor.visit_enum(Variant {
                variant,
                content: content.map(|value| Reader { value, place }),
            })
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    only! {
        Value::Bool(_) => deserialize_bool;
        Value::Number(_) =>
            deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
            deserialize_f32 deserialize_f64;
        Value::String(_) => deserialize_char deserialize_str deserialize_string deserialize_identifier;
        Value::String(_) | Value::Array(_) => deserialize_bytes deserialize_byte_buf;
        Value::Null => deserialize_unit;
        Value::Array(_) => deserialize_seq;
        Value::Object(_) => deserialize_map;
    }
}

struct Items<'a> {
    rest: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    place: &'a Place<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some((index, value)) = self.rest.next() else {
            return Ok(None);
        };
        let place = Place::Index(self.place, index);
        let read = seed.deserialize(Reader { value, place });
        // What a type made of the value, and did not like, has not been placed yet.
        read.map_err(|wrong| wrong.at(|| place.steps(), ""))
            .map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Fields<'a> {
    rest: map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    place: &'a Place<'a>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some((key, value));
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some((key, value)) = self.value.take() else {
            return Err(Wrong::custom("a value before its key"));
        };
        let place = Place::Key(self.place, key);
        let read = seed.deserialize(Reader { value, place });
        read.map_err(|wrong| wrong.at(|| place.steps(), ""))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The name of a field, or a key that is a number or a word of its own.
struct Key<'a>(&'a str);

macro_rules! from_text {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.0.parse() {
                Ok(value) if !self.0.starts_with('+') => visitor.$visit(value),
                _ => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.0)
    }

    from_text! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_i128 visit_i128 deserialize_u128 visit_u128
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let text: StrDeserializer<'_, Wrong> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant's name, and what it holds.
struct Variant<'a> {
    variant: &'a str,
    content: Option<Reader<'a>>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Wrong;
    type Variant = Content<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'a>), Wrong> {
        let variant = seed.deserialize(Key(self.variant))?;
        Ok((variant, Content(self.content)))
    }
}

struct Content<'a>(Option<Reader<'a>>);

impl<'a> Content<'a> {
    fn given(self, expected: &'static str) -> Result<Reader<'a>, Wrong> {
        self.0
            .ok_or_else(|| Wrong::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.0 {
            Some(content) => serde::Deserialize::deserialize(content),
            None => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        let content = self.given("newtype variant")?;
        let read = seed.deserialize(content);
        read.map_err(|wrong| wrong.at(|| content.place.steps(), ""))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        let content = self.given("tuple variant")?;
        content.placed(visitor, |this, visitor| match this.value {
            // An empty list is a unit to serde_json here.
            Value::Array(list) if list.is_empty() => visitor.visit_unit(),
            Value::Array(list) => this.list(list, visitor),
            _ => Err(this.invalid(&"tuple variant")),
        })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let content = self.given("struct variant")?;
        content.placed(visitor, |this, visitor| match this.value {
            Value::Object(object) => this.object(object, visitor),
            _ => Err(this.invalid(&"struct variant")),
        })
    }
}
