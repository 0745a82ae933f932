use super::{own_words, permitted, snake_of};

#[test]
fn a_manifest_keeps_its_face_when_a_permission_is_added() {
    let text = "{\r\n  // mine\r\n  \"permissions\": [], \"x\" : 1\r\n}\r\n";
    assert_eq!(
        permitted(text, "facts:publish:shop.paid").unwrap(),
        text.replace("[]", "[\"facts:publish:shop.paid\"]")
    );
    let one = "{\"permissions\": [\"net:dns\"]}";
    assert_eq!(
        permitted(one, "hope:call:shop.pay").unwrap(),
        "{\"permissions\": [\"net:dns\", \"hope:call:shop.pay\"]}"
    );
    let without = permitted("{\n  \"name\": \"a\"\n}\n", "hope:call:shop.pay").unwrap();
    assert!(
        without.contains("\"permissions\": [\"hope:call:shop.pay\"]"),
        "{without}"
    );
}

#[test]
fn a_permission_that_is_there_is_not_added_again() {
    for (known, wanted) in [
        ("facts:subscribe:shop.>", "facts:subscribe:shop.paid"),
        ("facts:publish:shop.*", "facts:publish:shop.paid"),
        ("hope:call:shop.pay", "hope:call:shop.pay"),
    ] {
        let text = format!("{{\"permissions\": [\"{known}\"]}}");
        assert_eq!(permitted(&text, wanted).unwrap(), text);
    }
    let text = "{\"permissions\": [\"facts:subscribe:shop.paid\"]}";
    assert!(permitted(text, "facts:publish:shop.paid").unwrap() != text);
}

#[test]
fn permissions_that_are_no_list_are_not_touched() {
    let error = permitted("{\"permissions\": {}}", "net:dns").unwrap_err();
    assert!(error.to_string().contains("is not a list"), "{error}");
    assert!(permitted("[]", "net:dns").is_err());
    assert!(permitted("{", "net:dns").is_err());
}

#[test]
fn what_is_the_plugins_own_begins_with_its_name() {
    assert_eq!(
        own_words("my-shop.order.paid", "my-shop", "topic").unwrap(),
        ["order", "paid"]
    );
    let error = own_words("order_paid", "my-shop", "topic").unwrap_err();
    assert_eq!(error.hints(), ["did you mean `my-shop.order_paid`?"]);
    let error = own_words("my-shop", "my-shop", "topic").unwrap_err();
    assert!(error.to_string().contains("only the name"), "{error}");
}

#[test]
fn words_of_topics_become_one_name() {
    assert_eq!(snake_of(["it-shop", "order_paid"]), "it_shop_order_paid");
    assert_eq!(snake_of(["-a-", "__b"]), "a_b");
}
