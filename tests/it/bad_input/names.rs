//! Names and fields that cannot be, or that would be taken for others.

use insta::assert_snapshot;

use super::{refused, with_orders};
use crate::support::{Project, Sandbox};

#[test]
fn plugins_are_named_plainly() {
    let sandbox = Sandbox::new();
    let long = format!("new plugin {}", "a".repeat(65));
    let lines = [
        "new plugin My_Plugin",
        "new plugin my_plugin",
        "new plugin 2fast",
        "new plugin ''",
        "new plugin ../x",
        "new plugin a/b",
        "new plugin 'my plugin'",
        "new plugin a--b",
        "new plugin a-",
        "new plugin 🚀",
        "new plugin größe",
        &long,
    ];
    assert_snapshot!(refused(&sandbox, "", &lines), @"
    $ hecate new plugin My_Plugin
    exit 2
    error: `My_Plugin` is not a plugin name: it starts with `M`, and must start with a lowercase letter
    hint: did you mean `my-plugin`?

    $ hecate new plugin my_plugin
    exit 2
    error: `my_plugin` is not a plugin name: it holds `_`, and may hold only lowercase letters, digits and hyphens
    hint: did you mean `my-plugin`?

    $ hecate new plugin 2fast
    exit 2
    error: `2fast` is not a plugin name: it starts with `2`, and must start with a lowercase letter
    hint: did you mean `plugin-2fast`?

    $ hecate new plugin ''
    exit 2
    error: `` is not a plugin name: it is empty
    hint: a plugin's name is made of small letters, digits and hyphens: `my-plugin`

    $ hecate new plugin ../x
    exit 2
    error: `../x` is not a plugin name: it starts with `.`, and must start with a lowercase letter
    hint: did you mean `x`?

    $ hecate new plugin a/b
    exit 2
    error: `a/b` is not a plugin name: it holds `/`, and may hold only lowercase letters, digits and hyphens
    hint: did you mean `a-b`?

    $ hecate new plugin 'my plugin'
    exit 2
    error: `my plugin` is not a plugin name: it holds ` `, and may hold only lowercase letters, digits and hyphens
    hint: did you mean `my-plugin`?

    $ hecate new plugin a--b
    exit 2
    error: `a--b` is not a plugin name: each hyphen must stand between two words
    hint: did you mean `a-b`?

    $ hecate new plugin a-
    exit 2
    error: `a-` is not a plugin name: each hyphen must stand between two words
    hint: did you mean `a`?

    $ hecate new plugin 🚀
    exit 2
    error: `🚀` is not a plugin name: it starts with `🚀`, and must start with a lowercase letter
    hint: a plugin's name is made of small letters, digits and hyphens: `my-plugin`

    $ hecate new plugin größe
    exit 2
    error: `größe` is not a plugin name: it holds `ö`, and may hold only lowercase letters, digits and hyphens
    hint: a plugin's name is made of small letters, digits and hyphens: `my-plugin`

    $ hecate new plugin aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    exit 2
    error: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not a plugin name: it has 65 characters, and may have 64
    hint: did you mean `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`?
    ");
}

#[test]
fn a_plugins_name_is_no_word_of_a_language_or_a_build() {
    let sandbox = Sandbox::new();
    let lines = [
        "new plugin type",
        "new plugin Type",
        "new plugin select",
        "new plugin order",
        "new plugin test",
        "new plugin hecate-sdk",
    ];
    assert_snapshot!(refused(&sandbox, "", &lines), @"
    $ hecate new plugin type
    exit 2
    error: `type` cannot be a plugin's name: `type` is a reserved word of Rust
    hint: call it `type-plugin`, for instance

    $ hecate new plugin Type
    exit 2
    error: `Type` is not a plugin name: it starts with `T`, and must start with a lowercase letter
    hint: did you mean `type-plugin`?

    $ hecate new plugin select
    exit 2
    error: `select` cannot be a plugin's name: `select` is a reserved word of SQL
    hint: call it `select-plugin`, for instance

    $ hecate new plugin order
    exit 2
    error: `order` cannot be a plugin's name: `order` is a reserved word of SQL
    hint: call it `order-plugin`, for instance

    $ hecate new plugin test
    exit 2
    error: `test` cannot be a plugin's name: `test` is the name of a crate that every build knows
    hint: call it `test-plugin`, for instance

    $ hecate new plugin hecate-sdk
    exit 2
    error: `hecate-sdk` cannot be a plugin's name: `hecate_sdk` is the name of a crate that every build knows
    hint: call it `hecate-sdk-plugin`, for instance
    ");
}

#[test]
fn subjects_and_verbs_are_written_in_small_letters() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-names");
    let long = format!("gen division {}", "a".repeat(65));
    let lines = [
        "gen division Order",
        "gen division 2nd",
        "gen division ''",
        "gen division ../x",
        "gen division kanban-card",
        "gen division a__b",
        "gen division 🚀",
        "gen division größe",
        &long,
        // What ends as a revision does cannot be told from one.
        "gen division order_v1",
        // Every plugin answers `/health` itself.
        "gen division health",
        "gen desk cmd Confirm order",
        "gen desk cmd 2x order",
        "gen desk cmd confirm_v2 order",
        "gen desk cmd pick up",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate gen division Order
    exit 2
    error: `Order` is not a name: `O` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `order`?

    $ hecate gen division 2nd
    exit 2
    error: `2nd` is not a name: it starts with `2`, not with a letter from `a` to `z`
    hint: did you mean `two_nd`?

    $ hecate gen division ''
    exit 2
    error: `` is not a name: it is empty
    hint: a name is made of small letters, digits and underscores: `kanban_card`

    $ hecate gen division ../x
    exit 2
    error: `../x` is not a name: `.` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `x`?

    $ hecate gen division kanban-card
    exit 2
    error: `kanban-card` is not a name: `-` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `kanban_card`?

    $ hecate gen division a__b
    exit 2
    error: `a__b` is not a name: a `_` stands only between two words, and alone
    hint: did you mean `a_b`?

    $ hecate gen division 🚀
    exit 2
    error: `🚀` is not a name: `🚀` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: a name is made of small letters, digits and underscores: `kanban_card`

    $ hecate gen division größe
    exit 2
    error: `größe` is not a name: `ö` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: a name is made of small letters, digits and underscores: `kanban_card`

    $ hecate gen division aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    exit 2
    error: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not a name: it has 65 characters, and 64 is the most
    hint: a name is made of small letters, digits and underscores: `kanban_card`

    $ hecate gen division order_v1
    exit 2
    error: `order_v1` ends as the revision of a command or an event does
    hint: call it `order_1`, for instance

    $ hecate gen division health
    exit 2
    error: `health` would have the route `/health`, which every plugin has of itself
    hint: call it `health_record`, for instance

    $ hecate gen desk cmd Confirm order
    exit 2
    error: `Confirm` is not a name: `C` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `confirm`?

    $ hecate gen desk cmd 2x order
    exit 2
    error: `2x` is not a name: it starts with `2`, not with a letter from `a` to `z`
    hint: did you mean `two_x`?

    $ hecate gen desk cmd confirm_v2 order
    exit 2
    error: `confirm_v2` ends as the revision of a command or an event does
    hint: call it `confirm_2`, for instance

    $ hecate gen desk cmd pick up
    exit 2
    error: `pick up` names no desk: `pick_up` is a verb, and has no subject
    hint: name what it is about too: `hecate gen desk cmd confirm order`
    ");
}

/// What is made of a subject has more words, so that reserved words are no harm: `order` is one of SQL.
#[test]
fn a_division_may_be_called_by_a_reserved_word() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-reserved");
    for subject in ["order", "type", "select", "test", "self", "event"] {
        let made = plugin.hecate(&format!("gen division {subject}")).ok();
        assert!(
            made.stdout
                .contains(&format!("made the division {subject}")),
            "{made}"
        );
    }
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");
}

#[test]
fn fields_have_a_name_and_a_type() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-fields");
    let lines = [
        "gen desk cmd confirm order remark",
        "gen desk cmd confirm order remark:",
        "gen desk cmd confirm order remark:?",
        "gen desk cmd confirm order :string",
        "gen desk cmd confirm order remark:strng",
        "gen desk cmd confirm order remark:TEXT",
        "gen desk cmd confirm order remark:blob",
        "gen desk cmd confirm order remark:string??",
        "gen desk cmd confirm order Remark:string",
        "gen desk cmd confirm order ../x:int",
        "gen desk cmd confirm order größe:int",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate gen desk cmd confirm order remark
    exit 2
    error: the field `remark` has no type
    hint: a field is given as `remark:TYPE`, with `?` behind it if it may be absent; the types are string, int, float, bool, decimal, uuid, date, datetime, json, enum:a,b

    $ hecate gen desk cmd confirm order remark:
    exit 2
    error: the field `remark:` has no type
    hint: a field is given as `remark:TYPE`, with `?` behind it if it may be absent; the types are string, int, float, bool, decimal, uuid, date, datetime, json, enum:a,b

    $ hecate gen desk cmd confirm order remark:?
    exit 2
    error: the field `remark:?` has no type
    hint: a field is given as `remark:TYPE`, with `?` behind it if it may be absent; the types are string, int, float, bool, decimal, uuid, date, datetime, json, enum:a,b

    $ hecate gen desk cmd confirm order :string
    exit 2
    error: the field `:string` has no good name: `` is not a name: it is empty
    hint: a name is made of small letters, digits and underscores: `unit_price:string`

    $ hecate gen desk cmd confirm order remark:strng
    exit 2
    error: the field `remark:strng` has an unknown type `strng`
    hint: did you mean `remark:string`?
    hint: a field is given as `remark:TYPE`, with `?` behind it if it may be absent; the types are string, int, float, bool, decimal, uuid, date, datetime, json, enum:a,b

    $ hecate gen desk cmd confirm order remark:TEXT
    exit 2
    error: the field `remark:TEXT` has an unknown type `TEXT`
    hint: did you mean `remark:string`?
    hint: a field is given as `remark:TYPE`, with `?` behind it if it may be absent; the types are string, int, float, bool, decimal, uuid, date, datetime, json, enum:a,b

    $ hecate gen desk cmd confirm order remark:blob
    exit 2
    error: the field `remark:blob` has an unknown type `blob`
    hint: a field is given as `remark:TYPE`, with `?` behind it if it may be absent; the types are string, int, float, bool, decimal, uuid, date, datetime, json, enum:a,b

    $ hecate gen desk cmd confirm order remark:string??
    exit 2
    error: the field `remark:string??` has an unknown type `string?`
    hint: did you mean `remark:string`?
    hint: a field is given as `remark:TYPE`, with `?` behind it if it may be absent; the types are string, int, float, bool, decimal, uuid, date, datetime, json, enum:a,b

    $ hecate gen desk cmd confirm order Remark:string
    exit 2
    error: the field `Remark:string` has no good name: `Remark` is not a name: `R` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `remark:string`?

    $ hecate gen desk cmd confirm order ../x:int
    exit 2
    error: the field `../x:int` has no good name: `../x` is not a name: `.` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `x:int`?

    $ hecate gen desk cmd confirm order größe:int
    exit 2
    error: the field `größe:int` has no good name: `größe` is not a name: `ö` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: a name is made of small letters, digits and underscores: `unit_price:int`
    ");
}

#[test]
fn enums_have_values() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-enums");
    let lines = [
        "gen desk cmd confirm order kind:enum",
        "gen desk cmd confirm order kind:enum:",
        "gen desk cmd confirm order kind:enum:a,,b",
        "gen desk cmd confirm order kind:enum:Small",
        "gen desk cmd confirm order kind:enum:1,2",
        "gen desk cmd confirm order kind:enum:self,other",
        "gen desk cmd confirm order kind:enum:a,b,a",
        "gen desk cmd confirm order kind:enum:a_1,a1",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate gen desk cmd confirm order kind:enum
    exit 2
    error: the enum `kind` has no values
    hint: name them: `kind:enum:small,large`

    $ hecate gen desk cmd confirm order kind:enum:
    exit 2
    error: the enum `kind` has no values
    hint: name them: `kind:enum:small,large`

    $ hecate gen desk cmd confirm order kind:enum:a,,b
    exit 2
    error: `` cannot be a value of the enum `kind`: `` is not a name: it is empty
    hint: an enum is given as `enum:small,large`

    $ hecate gen desk cmd confirm order kind:enum:Small
    exit 2
    error: `Small` cannot be a value of the enum `kind`: `Small` is not a name: `S` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `small`?

    $ hecate gen desk cmd confirm order kind:enum:1,2
    exit 2
    error: `1` cannot be a value of the enum `kind`: `1` is not a name: it starts with `1`, not with a letter from `a` to `z`
    hint: an enum is given as `enum:small,large`

    $ hecate gen desk cmd confirm order kind:enum:self,other
    exit 2
    error: `self` cannot be a value of the enum `kind`: `self` is a reserved word of Rust
    hint: call it `own`, for instance

    $ hecate gen desk cmd confirm order kind:enum:a,b,a
    exit 2
    error: the enum `kind` has the value `a` twice
    hint: name each value once

    $ hecate gen desk cmd confirm order kind:enum:a_1,a1
    exit 2
    error: the values `a_1` and `a1` of the enum `kind` are too close: both are `A1` in Rust
    hint: call one of the two otherwise
    ");
}

#[test]
fn fields_are_not_called_as_what_is_there() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-taken");
    let lines = [
        "gen desk cmd confirm order type:string",
        "gen desk cmd confirm order class:string",
        "gen desk cmd confirm order select:string",
        "gen desk cmd confirm order order:string",
        "gen desk cmd confirm order order_id:string",
        "gen desk cmd confirm order version:int",
        "gen desk cmd confirm order status:int",
        "gen desk cmd confirm order remark:int remark:string",
        "gen desk cmd confirm order kind_1:enum:a kind1:enum:b",
        // A column that another desk writes, as another type.
        "gen desk cmd confirm order note:int",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate gen desk cmd confirm order type:string
    exit 2
    error: the field `type` cannot be called that: `type` is a reserved word of Rust
    hint: call it `kind`, for instance

    $ hecate gen desk cmd confirm order class:string
    exit 2
    error: the field `class` cannot be called that: `class` is a reserved word of TypeScript
    hint: call it `category`, for instance

    $ hecate gen desk cmd confirm order select:string
    exit 2
    error: the field `select` cannot be called that: `select` is a reserved word of SQL
    hint: call it `choice`, for instance

    $ hecate gen desk cmd confirm order order:string
    exit 2
    error: the field `order` cannot be called that: `order` is a reserved word of SQL
    hint: call it `sort_order`, for instance

    $ hecate gen desk cmd confirm order order_id:string
    exit 2
    error: the field `order_id` cannot be called that: `order_id` is a field that every row, answer or query has
    hint: call it `other_order_id`, for instance

    $ hecate gen desk cmd confirm order version:int
    exit 2
    error: the field `version` cannot be called that: `version` is a field that every row, answer or query has
    hint: call it `order_version`, for instance

    $ hecate gen desk cmd confirm order status:int
    exit 2
    error: the field `status` cannot be called that: `status` is a field that every row, answer or query has
    hint: call it `order_status`, for instance

    $ hecate gen desk cmd confirm order remark:int remark:string
    exit 2
    error: the field `remark` is given twice
    hint: give it once, or call one of the two otherwise

    $ hecate gen desk cmd confirm order kind_1:enum:a kind1:enum:b
    exit 2
    error: the fields `kind_1` and `kind1` are too close: both are `Kind1` as a type
    hint: call one of the two otherwise

    $ hecate gen desk cmd confirm order note:int
    exit 1
    error: the field `note` would be of type int, but the desk `initiate_order` writes a column `note` of type string
    hint: use `note:string` to write the same column, or another name
    ");
}

#[test]
fn names_that_would_collide_are_refused() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-collide");
    let _ = plugin.hecate("gen division line_1").ok();
    let _ = plugin
        .hecate("gen desk prj order_initiated --table births")
        .ok();
    let lines = [
        "gen division orders",
        "gen division line1",
        "gen division order",
        "gen desk cmd initiate order note:string other:int",
        "gen desk cmd confirm order --event order_initiated",
        "gen desk cmd confirm order --event confirm_order",
        "gen desk prj order_archived --table orders",
        "gen desk prj order_archived --table order",
        "gen desk prj order_archived --table birth",
        "gen desk prj order_archived --table projection",
        "gen desk prj order_archived --table sqlite_master",
        "gen desk prj order_archived order_archived --table ends",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate gen division orders
    exit 1
    error: there is a division `order` already, which is too close to `orders`
    hint: use that one, or a name that differs by more than its number: `hecate gen desk cmd … --division order`

    $ hecate gen division line1
    exit 1
    error: there is a division `line_1` already, which is too close to `line1`
    hint: use that one, or a name that differs by more than its number: `hecate gen desk cmd … --division line_1`

    $ hecate gen division order
    exit 1
    error: `divisions/order` is there already, made from other answers
    hint: it was made from: note:string
    hint: its files are yours: change them by hand, or remove the folder and make it anew

    $ hecate gen desk cmd initiate order note:string other:int
    exit 1
    error: `divisions/order/src/guide_order_lifecycle/initiate_order` is there already, made from other answers
    hint: it was made from: note:string --birth
    hint: its files are yours: change them by hand, or remove the folder and make it anew

    $ hecate gen desk cmd confirm order --event order_initiated
    exit 1
    error: the event `order_initiated` exists already, in the desk `initiate_order`
    hint: give the desk another verb, or the event another name with `--event`

    $ hecate gen desk cmd confirm order --event confirm_order
    exit 1
    error: the desk `confirm_order` has no good name for its event
      cause: `confirm_order` would be the name of both the command and its event
    hint: name the event with `--event`, or its past tense with `--past`

    $ hecate gen desk prj order_archived --table orders
    exit 1
    error: `orders` is the division's own table, which every desk's columns go into
    hint: give the projection a table of its own, such as `--table confirmed_orders`

    $ hecate gen desk prj order_archived --table order
    exit 1
    error: `order` cannot be told from the division's own table, `orders`
    hint: give the projection a table of its own, such as `--table confirmed_orders`

    $ hecate gen desk prj order_archived --table birth
    exit 1
    error: the desk `order_initiated` writes the table `births` already
    hint: one projection for all events of a table: name them together, or take another table

    $ hecate gen desk prj order_archived --table projection
    exit 2
    error: `projection` is a name that read models keep for tables of their own
    hint: call it `my_projection`, for instance

    $ hecate gen desk prj order_archived --table sqlite_master
    exit 2
    error: `sqlite_master` is a name that read models keep for tables of their own
    hint: call it `my_master`, for instance

    $ hecate gen desk prj order_archived order_archived --table ends
    exit 2
    error: the event `order_archived_v1` is given twice
    hint: name each event once
    ");
}

#[test]
fn what_is_not_there_is_named_with_what_is_near() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-near");
    let lines = [
        "gen desk cmd confirm oder",
        "gen desk cmd confirm invoice",
        "gen desk cmd confirm order --division invoice",
        "gen desk prj order_initated --table births",
        "gen desk prj invoice_paid --table payments",
        "gen desk prj order_initiated_v7 --table births",
        "gen desk qry by-field order nota",
        "gen desk qry by-field order customer",
        "gen desk qry page invoice",
        "gen desk qry page invoice --division order",
        "gen desk qry by-field order",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate gen desk cmd confirm oder
    exit 1
    error: there is no division `oder` here
    hint: did you mean `order`? If not, make it with `hecate gen division oder`

    $ hecate gen desk cmd confirm invoice
    exit 1
    error: there is no division `invoice` here
    hint: the divisions here are `order`: name one with `--division`, or make it with `hecate gen division invoice`

    $ hecate gen desk cmd confirm order --division invoice
    exit 1
    error: there is no division `invoice` here
    hint: the divisions here are `order`: name one with `--division`, or make it with `hecate gen division invoice`

    $ hecate gen desk prj order_initated --table births
    exit 1
    error: no division has the event `order_initated`
    hint: did you mean `order_initiated`?

    $ hecate gen desk prj invoice_paid --table payments
    exit 1
    error: no division has the event `invoice_paid`
    hint: events are named after their files in the desks' folders: `order_confirmed`

    $ hecate gen desk prj order_initiated_v7 --table births
    exit 1
    error: the division `order` has no event `order_initiated_v7`
    hint: its newest revision is `order_initiated_v1`

    $ hecate gen desk qry by-field order nota
    exit 1
    error: there is no column `nota` to ask for
    hint: did you mean `note`?

    $ hecate gen desk qry by-field order customer
    exit 1
    error: there is no column `customer` to ask for
    hint: the table's columns are `note`

    $ hecate gen desk qry page invoice
    exit 1
    error: there is no division `invoice` here
    hint: the divisions here are `order`: name one with `--division`, or make it with `hecate gen division invoice`

    $ hecate gen desk qry page invoice --division order
    exit 1
    error: the division `order` has no table `invoices`
    hint: it has `orders`; ask about one of them by its singular, or make a table with `hecate gen desk prj`

    $ hecate gen desk qry by-field order
    exit 2
    error: a query by field needs exactly one field
    hint: for instance: `hecate gen desk qry by-field order note`
    ");
}

#[test]
fn events_are_named_by_themselves() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-events");
    let lines = [
        "gen desk cmd confirm order --event OrderConfirmed",
        "gen desk cmd confirm order --event order_confirmed_v2",
        "gen desk cmd confirm order --event order_confirmed_v0",
        "gen desk cmd confirm order --past Taken",
        "gen desk cmd confirm order --past taken --event order_confirmed",
        "gen desk prj OrderInitiated --table births",
        "gen desk prj order_initiated --table Births",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate gen desk cmd confirm order --event OrderConfirmed
    exit 2
    error: `OrderConfirmed` is not a name: `O` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `order_confirmed`?

    $ hecate gen desk cmd confirm order --event order_confirmed_v2
    exit 2
    error: `order_confirmed_v2` is not the first revision of its event, which a new one has to be
    hint: leave the revision off: `--event order_confirmed`

    $ hecate gen desk cmd confirm order --event order_confirmed_v0
    exit 2
    error: `order_confirmed_v0` ends in a revision that cannot be: they are counted from 1 to 9999
    hint: did you mean `order_confirmed_v1`?

    $ hecate gen desk cmd confirm order --past Taken
    exit 2
    error: `Taken` is not a name: `T` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `taken`?

    $ hecate gen desk cmd confirm order --past taken --event order_confirmed
    exit 2
    error: the past is given as `taken`, but the event `order_confirmed` does not have it
    hint: one of them is enough: `--event` is the whole name, `--past` a part of it

    $ hecate gen desk prj OrderInitiated --table births
    exit 2
    error: `OrderInitiated` is not a name: `O` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `order_initiated`?

    $ hecate gen desk prj order_initiated --table Births
    exit 2
    error: `Births` is not a name: `B` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `births`?
    ");
}

/// Advice, not a refusal: there are businesses in which something is created.
#[test]
fn verbs_of_databases_and_slips_are_warned_of() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-crud");
    let _made = plugin
        .hecate("gen desk cmd take order customer:string")
        .ok();
    let said = |line: &str| {
        let run = plugin.hecate(&format!("gen {line} --dry-run")).ok();
        format!("$ hecate gen {line}\n{}\n", run.stderr)
    };
    let session = [
        said("desk cmd create order"),
        said("desk cmd update order remark:string"),
        said("desk cmd soft_delete order"),
        said("division oder"),
        said("desk cmd achive order"),
        said("desk cmd weigh order custmer:string note:string"),
        said("desk cmd make order"),
    ];
    assert_snapshot!(session.concat(), @"
    $ hecate gen desk cmd create order
    warning: `create` tells of a row; say what happened: `initiate`, `register` or `open`

    $ hecate gen desk cmd update order remark:string
    warning: `update` tells of a row; say what happened: `amend`, `correct` or `adjust`

    $ hecate gen desk cmd soft_delete order
    warning: `delete` tells of a row; say what happened: `archive`, `withdraw` or `cancel`

    $ hecate gen division oder
    warning: there is a division `order`: is `oder` another thing, or a slip?

    $ hecate gen desk cmd achive order
    warning: there is a verb `archive`: is `achive` another one, or a slip?

    $ hecate gen desk cmd weigh order custmer:string note:string
    warning: there is a column `customer`: is `custmer` another one, or a slip?

    $ hecate gen desk cmd make order
    ");
}

#[test]
fn what_is_missing_is_named_where_nobody_can_be_asked() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-missing");
    let lines = [
        "new plugin",
        "gen division",
        "gen desk",
        "gen desk cmd",
        "gen desk cmd confirm",
        "gen desk prj",
        "gen desk prj order_initiated",
        "gen desk qry",
        "gen desk qry page",
    ];
    assert_snapshot!(refused(&sandbox, &plugin.name, &lines), @"
    $ hecate new plugin
    exit 2
    error: `hecate new plugin` needs a NAME
    hint: for instance `hecate new plugin my-plugin`; on a terminal, what is missing is asked for

    $ hecate gen division
    exit 2
    error: `hecate gen division` needs a SUBJECT
    hint: for instance `hecate gen division order total:decimal`; on a terminal, what is missing is asked for

    $ hecate gen desk
    exit 2
    error: `hecate gen desk` needs a kind (cmd, prj or qry) and what goes with it
    hint: for instance `hecate gen desk cmd confirm order note:string`; on a terminal, what is missing is asked for

    $ hecate gen desk cmd
    exit 2
    error: `hecate gen desk cmd` needs a VERB and a SUBJECT
    hint: for instance `hecate gen desk cmd confirm order note:string`; on a terminal, what is missing is asked for

    $ hecate gen desk cmd confirm
    exit 2
    error: `hecate gen desk cmd` needs a SUBJECT
    hint: for instance `hecate gen desk cmd confirm order note:string`; on a terminal, what is missing is asked for

    $ hecate gen desk prj
    exit 2
    error: `hecate gen desk prj` needs an EVENT and a `--table TABLE`
    hint: for instance `hecate gen desk prj order_initiated --table births`; on a terminal, what is missing is asked for

    $ hecate gen desk prj order_initiated
    exit 2
    error: `hecate gen desk prj` needs a `--table TABLE`
    hint: for instance `hecate gen desk prj order_initiated --table births`; on a terminal, what is missing is asked for

    $ hecate gen desk qry
    exit 2
    error: `hecate gen desk qry` needs a kind (by-id, by-field, page, search or count) and a SUBJECT
    hint: for instance `hecate gen desk qry by-field order note`; on a terminal, what is missing is asked for

    $ hecate gen desk qry page
    exit 2
    error: `hecate gen desk qry` needs a SUBJECT
    hint: for instance `hecate gen desk qry by-field order note`; on a terminal, what is missing is asked for
    ");
}

#[test]
fn flags_events_and_routes_are_looked_at_before_anything_is_made() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-extras");
    let _made = plugin
        .hecate("gen division order --flags open,shelved")
        .ok();
    let _made = plugin.hecate("gen division bill").ok();
    let _made = plugin
        .hecate("gen desk cmd close order --route /till/{id}/closings")
        .ok();
    let lines = [
        "gen division parcel --flags open,open",
        "gen division parcel --flags initiated",
        "gen division parcel --flags Open",
        "gen division parcel --flags ''",
        "gen division order --flags open",
        "gen desk cmd sign order --sets opn",
        "gen desk cmd sign order --sets open --clears shelved,open",
        "gen desk cmd sign bill --sets open",
        "gen desk cmd sign order --event order_signed --event order_signed",
        "gen desk cmd sign order --event order_signed --event order_closed",
        "gen desk cmd sign order --event order_signed --event sign_order",
        "gen desk cmd sign order --route orders/{id}",
        "gen desk cmd sign order --route /orders",
        "gen desk cmd sign order --route /orders/{order}",
        "gen desk cmd import order --birth --route /orders/{id}/import",
        "gen desk cmd import order --birth --route /manifest",
        "gen desk cmd sign order --route /till/{id}/closings",
        "gen desk cmd sign bill --route /orders/{id}/archive",
    ];
    assert_snapshot!(refused(&sandbox, "it-extras", &lines), @"
    $ hecate gen division parcel --flags open,open
    exit 2
    error: the flag `open` is given twice
    hint: name each flag once

    $ hecate gen division parcel --flags initiated
    exit 2
    error: the flag `initiated` would be called as the bit of the event that every division has
    hint: leave it out: that bit comes by itself

    $ hecate gen division parcel --flags Open
    exit 2
    error: `Open` cannot be a flag: `Open` is not a name: `O` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `open`?

    $ hecate gen division parcel --flags ''
    exit 2
    error: `` cannot be a flag: `` is not a name: it is empty
    hint: flags are given as `--flags open,shelved`

    $ hecate gen division order --flags open
    exit 1
    error: `divisions/order` is there already, made from other answers
    hint: it was made from: --flags=open,shelved
    hint: its files are yours: change them by hand, or remove the folder and make it anew

    $ hecate gen desk cmd sign order --sets opn
    exit 1
    error: the division `order` has no flag `opn`
    hint: its flags are `open`, `shelved`; they stand in `divisions/order/src/flags.rs`

    $ hecate gen desk cmd sign order --sets open --clears shelved,open
    exit 2
    error: the event would both set and clear `open`
    hint: name it either in `--sets` or in `--clears`

    $ hecate gen desk cmd sign bill --sets open
    exit 1
    error: the division `bill` has no flag `open`
    hint: a division gets its flags when it is made, with `--flags`; later ones are constants in `divisions/bill/src/flags.rs`, each a bit that nobody has

    $ hecate gen desk cmd sign order --event order_signed --event order_signed
    exit 2
    error: the event `order_signed` is given twice
    hint: name each event once

    $ hecate gen desk cmd sign order --event order_signed --event order_closed
    exit 1
    error: the event `order_closed` exists already, in the desk `close_order`
    hint: give the desk another verb, or the event another name with `--event`

    $ hecate gen desk cmd sign order --event order_signed --event sign_order
    exit 1
    error: the desk `sign_order` has no good name for its event
      cause: `sign_order` would be the name of both the command and its event
    hint: name the event with `--event`, or its past tense with `--past`

    $ hecate gen desk cmd sign order --route orders/{id}
    exit 2
    error: `orders/{id}` cannot be a route: it does not begin with `/`
    hint: a route is given as `/orders/{id}/confirm`, or `/orders/import` for a birth

    $ hecate gen desk cmd sign order --route /orders
    exit 2
    error: the route `/orders` has no `{id}`, and the command needs to know about what it is
    hint: put it in: `/orders/{id}`, or say `--birth` if it brings a new thing into being

    $ hecate gen desk cmd sign order --route /orders/{order}
    exit 2
    error: `/orders/{order}` cannot be a route: `{order}` is not `{id}`, the one part that may vary
    hint: a route is given as `/orders/{id}/confirm`, or `/orders/import` for a birth

    $ hecate gen desk cmd import order --birth --route /orders/{id}/import
    exit 2
    error: the route `/orders/{id}/import` has an `{id}`, and what is born has none yet
    hint: leave it out: `/orders/import`

    $ hecate gen desk cmd import order --birth --route /manifest
    exit 1
    error: every plugin has the route `/manifest` of itself
    hint: take another one with `--route`

    $ hecate gen desk cmd sign order --route /till/{id}/closings
    exit 1
    error: the route `POST /till/{id}/closings` is taken: `divisions/order/src/guide_order_lifecycle/close_order/route.rs` has `POST /till/{id}/closings`
    hint: take another one with `--route`, or give the desk another verb

    $ hecate gen desk cmd sign bill --route /orders/{id}/archive
    exit 1
    error: the route `POST /orders/{id}/archive` is taken: `divisions/order/src/guide_order_lifecycle/archive_order/route.rs` has `POST /orders/{id}/archive`
    hint: take another one with `--route`, or give the desk another verb
    ");
}
