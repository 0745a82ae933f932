//! `contracts/flags.toml`: the status bits of events and flags that are gone. The file only grows: rows and stored events
//! have the bits, so no other event of the division may ever get one of them.

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::kinds::Draft;
use crate::error::CliError;
use crate::names::Name;
use crate::project::{RelPath, View};

/// Where it lies.
pub(super) const PATH: &str = "contracts/flags.toml";
const HEAD: &str = "# Status bits of what was removed, by division and event. They are never given again: lines are added here, \
    and none is\n# taken away.\n";

/// All bits that nothing in the division may get. Bits below `retired`, outside of any division, are those of all.
pub(super) fn bits(view: &View, subject: &Name) -> Result<u64, CliError> {
    let Some(text) = view.text(PATH)? else {
        return Ok(0);
    };
    let document = parse(text)?;
    let of_all = document.get("retired").into_iter().flat_map(numbers);
    let own = document
        .get(subject.snake())
        .and_then(Item::as_table_like)
        .into_iter()
        .flat_map(|table| table.iter())
        .flat_map(|(_, item)| numbers(item));
    Ok(of_all.chain(own).fold(0, |all, bit| all | bit))
}

/// Writes down that these bits are gone, each with the event or flag that had it.
pub(super) fn retire(
    draft: &mut Draft<'_>,
    subject: &Name,
    gone: &[(String, u64)],
) -> Result<(), CliError> {
    if gone.is_empty() {
        return Ok(());
    }
    if draft.view().has(PATH) {
        return draft.merge(PATH, |text| added(text, subject, gone));
    }
    let path = RelPath::new(PATH).map_err(|error| CliError::bug(error.to_string()))?;
    let text = added("", subject, gone)?;
    draft.put(path, format!("{HEAD}\n{text}").into_bytes());
    Ok(())
}

fn added(text: &str, subject: &Name, gone: &[(String, u64)]) -> Result<String, CliError> {
    let mut document = parse(text)?;
    let table = document
        .entry(subject.snake())
        .or_insert(Item::Table(Table::new()));
    let table = table.as_table_like_mut().ok_or_else(|| {
        CliError::cannot(format!("`{PATH}`: `{subject}` is not a table"))
            .hint("it lists a division's bits: `[order]`, and below it `order_confirmed = [4]`")
    })?;
    for (name, bit) in gone {
        let item = table.entry(name).or_insert(value(Array::new()));
        if numbers(item).any(|known| known == *bit) {
            continue;
        }
        let mut all: Array = numbers(item).map(u64::cast_signed).collect();
        all.push(bit.cast_signed());
        *item = value(all);
    }
    Ok(document.to_string())
}

/// One number, or several.
fn numbers(item: &Item) -> impl Iterator<Item = u64> {
    let one = item.as_integer();
    let several = item.as_array().into_iter().flatten();
    let several = several.filter_map(toml_edit::Value::as_integer);
    one.into_iter().chain(several).map(i64::cast_unsigned)
}

fn parse(text: &str) -> Result<DocumentMut, CliError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        CliError::because(format!("`{PATH}` cannot be read"), error)
            .hint("mend it first: without it nobody knows which bits must not be given again")
    })
}

#[cfg(test)]
mod tests {
    use super::{HEAD, PATH, added, bits};
    use crate::names::Name;
    use crate::project::{RelPath, View};

    fn order() -> Name {
        Name::parse("order").unwrap()
    }

    #[test]
    fn bits_are_added_to_their_division_and_stay() {
        let gone = |name: &str, bit| [(name.to_owned(), bit)];
        let first = added("", &order(), &gone("order_confirmed", 4)).unwrap();
        let first = format!("{HEAD}\n{first}");
        let again = added(&first, &order(), &gone("order_confirmed", 16)).unwrap();
        assert_eq!(
            again,
            format!("{HEAD}\n[order]\norder_confirmed = [4, 16]\n")
        );
        assert_eq!(
            added(&again, &order(), &gone("order_confirmed", 4)).unwrap(),
            again
        );
    }

    #[test]
    fn a_division_keeps_from_its_own_bits_and_those_of_all() {
        let text = "retired = [1, 2]\n[order]\nopened = 8\nclosed = [16]\n[invoice]\npaid = 4\n";
        let path = RelPath::new(PATH).unwrap();
        let view = View::default().with(path, text.into());
        assert_eq!(bits(&view, &order()).unwrap(), 1 | 2 | 8 | 16);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = added("[order\n", &order(), &[("a".to_owned(), 1)]).unwrap_err();
        assert!(
            error.message().starts_with("`contracts/flags.toml`"),
            "{error}"
        );
    }
}
