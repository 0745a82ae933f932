//! One plugin that is really built, for all tests that take bundles apart: a build is seconds, and a bundle can be
//! packed anew with whatever is wrong in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use hecate_manifest::bundle::{Bundle, BundleInfo, Compression, Limits, pack};
use hecate_manifest::keys::HomeKey;

use super::{Project, Sandbox};

const NAME: &str = "it-specimen";

/// A bundle in its parts, of a plugin with one division, `order`, whose orders have a note.
#[derive(Clone)]
pub(crate) struct Specimen {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) info: BundleInfo,
}

struct Built {
    project: Mutex<Project<'static>>,
    specimen: Specimen,
}

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::lasting(NAME));

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let project = Project::new(&SANDBOX, NAME);
    let _made = project.hecate("gen division order note:string").ok();
    let packed = fs::read(project.bundle()).unwrap();
    let bundle = Bundle::open(packed.as_slice(), &Limits::default()).unwrap();
    let mut specimen = Specimen {
        files: bundle.files,
        info: bundle.info,
    };
    // What a debugger needs is most of it, and would be hashed, packed and written with every bundle.
    let library = SANDBOX.write("library.so", specimen.library());
    let stripped = Command::new("strip")
        .arg("--strip-debug")
        .arg(&library)
        .status();
    assert!(
        stripped
            .expect("`strip` comes with the C compiler")
            .success()
    );
    *specimen.library() = fs::read(library).unwrap();
    Built {
        project: Mutex::new(project),
        specimen,
    }
});

impl Specimen {
    /// The bundle as it was built.
    pub(crate) fn built() -> Self {
        BUILT.specimen.clone()
    }

    /// The project that it was built from; who has it leaves it as it was.
    pub(crate) fn project() -> MutexGuard<'static, Project<'static>> {
        BUILT.project.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bundle with another manifest: `to` for the one place that holds `from`.
    #[track_caller]
    pub(crate) fn with_manifest(mut self, from: &str, to: &str) -> Self {
        let manifest = self.files.get_mut("manifest.json").unwrap();
        let text = String::from_utf8(manifest.clone()).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {text}");
        *manifest = text.replace(from, to).into_bytes();
        self
    }

    /// The bundle of a later version.
    pub(crate) fn of_version(mut self, version: &str) -> Self {
        self.info.version = version.parse().unwrap();
        let to = format!(r#""version": "{version}""#);
        self.with_manifest(r#""version": "0.1.0""#, &to)
    }

    /// The library.
    pub(crate) fn library(&mut self) -> &mut Vec<u8> {
        self.files.get_mut(&self.info.library).unwrap()
    }

    /// Packed, and signed with the key of `home`.
    pub(crate) fn signed(&self, home: &Path) -> Vec<u8> {
        let key = HomeKey::generate_or_load(&home.join("keys")).unwrap();
        self.pack(Some(&key))
    }

    /// Packed, and signed by nobody.
    pub(crate) fn unsigned(&self) -> Vec<u8> {
        self.pack(None)
    }

    fn pack(&self, key: Option<&HomeKey>) -> Vec<u8> {
        pack(&self.files, &self.info, key, Compression::Fast).unwrap()
    }
}
