//! May this bundle run here? Decided from its bytes, before anything of it is written or mapped.

use std::io::Read;

use hecate_manifest::bundle::{Bundle, BundleError, InfoError, Limits};
use hecate_manifest::keys::{self, KeyError, KeyId, VerifyError};
use hecate_manifest::rules::{self, Context, Severity};
use hecate_manifest::{MinSdk, PluginType, check_min_sdk, sdk_version};
use hecate_runtime::verdict::{self, Refused, Verdict};

use crate::home::Home;

/// The target triple that this host can load.
pub const TARGET: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-gnu"
} else {
    "x86_64-unknown-linux-gnu"
};

/// Whose signature is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// That of the home's own key, or of one that the home trusts.
    Signed,
    /// Nobody's: the user has said so for this bundle.
    Unsigned,
}

/// A bundle that may run here.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted {
    /// The bundle.
    pub bundle: Bundle,
    /// What its library says of itself.
    pub verdict: Verdict,
    /// Whose key has signed it.
    pub signer: Option<KeyId>,
}

/// Why a bundle may not run here. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// Not a bundle, or a damaged one.
    #[error(
        "the bundle cannot be opened: {}; get the file again, or make it anew with `hecate bundle`",
        with_causes(.0)
    )]
    Bundle(BundleError),
    /// A bundle of another format, newer most likely.
    #[error("{0}: update Hecate, or bundle the plugin with this version")]
    Format(InfoError),
    /// The home's keys cannot be read.
    #[error("the keys of this home cannot be read")]
    Keys(#[from] KeyError),
    /// Not signed by a key that is trusted here.
    #[error(
        "the bundle is {0}: {way_out}, or allow it with `--allow-unsigned`",
        way_out = match .0 {
            VerifyError::UnknownKey { .. } => "put that key's `.pub` file into `keys/trusted` of the home",
            _ => "let its author sign it",
        }
    )]
    Signature(VerifyError),
    /// Signed, and not what was signed.
    #[error("{0}: the bundle is not what its author signed; get it again from there")]
    Tampered(VerifyError),
    /// Of a kind that does not run here.
    #[error(
        "the plugin's `plugin_type` is `{0}`, and only `in_vm` plugins run here: `hecate new plugin` makes such"
    )]
    PluginType(String),
    /// Breaks rules of the manifest.
    #[error("the manifest is not right: {0}; mend it (`hecate check` shows where) and bundle anew")]
    Manifest(String),
    /// Needs a newer SDK.
    #[error(
        "the plugin needs SDK {needs}, this host has {has}: update Hecate, or lower `min_sdk_version` and rebuild"
    )]
    MinSdk {
        /// What it needs.
        needs: String,
        /// What there is.
        has: String,
    },
    /// Built for another kind of machine.
    #[error(
        "the bundle is built for `{is}`, this machine is `{TARGET}`: bundle the plugin on such a machine"
    )]
    Target {
        /// Its target.
        is: String,
    },
    /// The library may not be mapped.
    #[error(transparent)]
    Library(#[from] Refused),
}

impl NotAdmitted {
    /// The stable code of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "bundle_invalid",
            Self::Format(_) => "bundle_format",
            Self::Keys(_) => "keys_unreadable",
            Self::Signature(_) => "signature_not_trusted",
            Self::Tampered(_) => "signature_invalid",
            Self::PluginType(_) => "plugin_type",
            Self::Manifest(_) => "manifest_invalid",
            Self::MinSdk { .. } => "sdk_too_old",
            Self::Target { .. } => "wrong_target",
            Self::Library(_) => "library_refused",
        }
    }
}

impl From<BundleError> for NotAdmitted {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Info(error @ InfoError::Format { .. }) => Self::Format(error),
            error => Self::Bundle(error),
        }
    }
}

/// Opens a packed bundle and decides.
///
/// # Errors
///
/// [`NotAdmitted`], with the reason and the way out.
pub fn admit(packed: impl Read, home: &Home, trust: Trust) -> Result<Admitted, NotAdmitted> {
    let bundle = Bundle::open(packed, &Limits::default())?;
    let signer = match (trust, bundle.signer(&keys::trusted_keys(&home.keys())?)) {
        (_, Ok(signer)) => Some(signer),
        (Trust::Unsigned, Err(VerifyError::Unsigned | VerifyError::UnknownKey { .. })) => None,
        (Trust::Signed, Err(error @ (VerifyError::Unsigned | VerifyError::UnknownKey { .. }))) => {
            return Err(NotAdmitted::Signature(error));
        }
        // A signature that is there must be one of these contents, whatever is allowed.
        (_, Err(error)) => return Err(NotAdmitted::Tampered(error)),
    };
    if bundle.manifest.plugin_type != PluginType::InVm {
        return Err(NotAdmitted::PluginType(
            bundle.manifest.plugin_type.to_string(),
        ));
    }
    check_sdk(&bundle)?;
    check_rules(&bundle)?;
    if bundle.info.target != TARGET {
        return Err(NotAdmitted::Target {
            is: bundle.info.target,
        });
    }
    let verdict = verdict::of_bytes(bundle.library())?;
    Ok(Admitted {
        bundle,
        verdict,
        signer,
    })
}

/// What a library says of itself, or why it may not be mapped.
///
/// # Errors
///
/// [`Refused`], with the reason and the way out.
pub fn verdict_of(library: &[u8]) -> Result<Verdict, Refused> {
    verdict::of_bytes(library)
}

/// An error with all its causes, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // A transparent or quoting error has said it already.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

fn check_sdk(bundle: &Bundle) -> Result<(), NotAdmitted> {
    let has = sdk_version();
    match check_min_sdk(bundle.manifest.min_sdk_version.as_deref(), &has) {
        MinSdk::TooNew { min, .. } => Err(NotAdmitted::MinSdk {
            needs: min.to_string(),
            has: has.to_string(),
        }),
        // What is malformed, the rules say.
        _ => Ok(()),
    }
}

fn check_rules(bundle: &Bundle) -> Result<(), NotAdmitted> {
    let findings =
        rules::check_manifest("manifest.json", &bundle.manifest_text, &Context::default());
    let errors: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| format!("{} ({})", finding.message, finding.rule.code))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(NotAdmitted::Manifest(errors.join("; ")))
    }
}
