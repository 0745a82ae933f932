//! Upstream's manifests, checked alone, as somebody would who brings one here. None has an error: they are in
//! order where they come from.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// A warning that each of them gets: upstream keeps `min_sdk_version` in the code, not in the manifest.
const NO_MIN_SDK: &str = "HKM006 warning 1:1";
/// No `plugin_type`: upstream runs them in a container.
const CONTAINER: &str = "HKM013 warning 1:1";

#[test]
fn upstreams_manifests_have_warnings_for_what_differs_here() {
    let expected = BTreeMap::from([
        (
            "hecate-apps__hecate-app-irc__0.1.0__dcb2557.json",
            // It asks for `read:mesh_status`, which nothing here can grant.
            vec![NO_MIN_SDK, CONTAINER, "HKM014 warning 8:19"],
        ),
        (
            "hecate-apps__hecate-app-martha__0.7.1__1a81fb7.json",
            // `callback_module` is an Erlang module.
            vec![NO_MIN_SDK, "HKM012 warning 7:3"],
        ),
        (
            "hecate-apps__hecate-app-meshview__0.1.0__ed108c5.json",
            // As irc.
            vec![NO_MIN_SDK, CONTAINER, "HKM014 warning 8:19"],
        ),
        (
            "hecate-apps__hecate-app-rag__0.2.0__67c5f30.json",
            // `callback_module`, and `backing_service` further down: one warning for both.
            vec![NO_MIN_SDK, "HKM012 warning 7:3"],
        ),
        (
            "hecate-apps__hecate-app-scribe__1.1.0__b83b5fe.json",
            // As martha; `file_types` is in order.
            vec![NO_MIN_SDK, "HKM012 warning 7:3"],
        ),
        (
            "hecate-apps__hecate-app-snake-duel__0.3.1__e97b9c9.json",
            // As martha; `plugin_name` stands in `appstore`, where it belongs.
            vec![NO_MIN_SDK, "HKM012 warning 8:3"],
        ),
        (
            "hecate-apps__hecate-app-trader__0.2.0__f4c5648.json",
            vec![NO_MIN_SDK, CONTAINER],
        ),
        (
            "hecate-apps__hecate-app-weather__0.1.0__index.json",
            // As martha, and a standalone station, which is not loadable here.
            vec![NO_MIN_SDK, "HKM012 warning 7:3", "HKM013 warning 8:18"],
        ),
        (
            "hecate-services__hecate-git__0.1.0__6f3f224.json",
            // A service: one warning for its twelve fields, and one that it is not loadable here.
            vec![NO_MIN_SDK, "HKM012 warning 6:3", "HKM013 warning 6:19"],
        ),
        (
            "hecate-services__hecate-rag__0.1.0__a813485.json",
            // As hecate-git.
            vec![NO_MIN_SDK, "HKM012 warning 6:3", "HKM013 warning 6:19"],
        ),
    ]);

    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/corpus/manifests"
    );
    let mut found = BTreeMap::new();
    for entry in Path::new(corpus).read_dir().unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let context = Context {
            sdk: Some(&sdk()),
            files: Some(&|_| false),
            ..Context::default()
        };
        let places = places(&check_manifest(&file, &text, &context));
        found.insert(file, places);
    }
    let expected: BTreeMap<String, Vec<String>> = expected
        .into_iter()
        .map(|(file, places)| (file.into(), places.into_iter().map(Into::into).collect()))
        .collect();
    assert_eq!(found, expected);
}
