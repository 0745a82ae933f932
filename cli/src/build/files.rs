//! The static files of a bundle, with compressed variants beside those that gain by it.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::write::GzEncoder;
use hecate_manifest::bundle::{Profile, STATIC_FILES};

use crate::error::CliError;
use crate::project::{Project, file_bytes, list_files};

/// Smaller files are sent faster than they are negotiated.
const WORTH_COMPRESSING: usize = 1024;
/// What is text inside, by extension.
const TEXT: [&str; 14] = [
    "html",
    "htm",
    "css",
    "js",
    "mjs",
    "json",
    "svg",
    "txt",
    "xml",
    "wasm",
    "map",
    "md",
    "csv",
    "webmanifest",
];

/// Every file below `priv/static`, by its path in the bundle.
pub(super) fn collect(
    project: &Project,
    profile: Profile,
) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let dir = project.root().join(STATIC_FILES);
    let mut contents = BTreeMap::new();
    for file in list_files(&dir)? {
        let name = file.to_str().ok_or_else(|| {
            CliError::cannot(format!(
                "`{STATIC_FILES}{}` is not a UTF-8 name",
                file.display()
            ))
        })?;
        let bytes = file_bytes(&dir.join(&file))?;
        let path = format!("{STATIC_FILES}{name}");
        if profile == Profile::Release && is_text(name) && bytes.len() >= WORTH_COMPRESSING {
            for (extension, compressed) in [("br", brotli(&bytes)), ("gz", gzip(&bytes))] {
                let variant = format!("{path}.{extension}");
                let smaller = compressed.is_some_and(|compressed| {
                    let gains = compressed.len() < bytes.len();
                    if gains {
                        // A variant that the frontend's own build made is replaced by one that is surely of this file.
                        contents.insert(variant.clone(), compressed);
                    }
                    gains
                });
                if !smaller {
                    contents.remove(&variant);
                }
            }
        }
        contents.entry(path).or_insert(bytes);
    }
    Ok(contents)
}

fn is_text(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| TEXT.contains(&extension.to_ascii_lowercase().as_str()))
}

fn brotli(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut compressed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &params).ok()?;
    Some(compressed)
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{brotli, gzip, is_text};

    #[test]
    fn variants_hold_what_the_file_holds() {
        let text = b"<p>hecate</p>".repeat(200);
        let (br, gz) = (brotli(&text).unwrap(), gzip(&text).unwrap());
        assert!(br.len() < text.len() && gz.len() < text.len());
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut br.as_slice(), &mut back).unwrap();
        assert_eq!(back, text);
        back.clear();
        flate2::read::GzDecoder::new(gz.as_slice())
            .read_to_end(&mut back)
            .unwrap();
        assert_eq!(back, text);
    }

    #[test]
    fn only_text_is_compressed() {
        assert!(is_text("a.b/index.HTML") && is_text("x.svg"));
        assert!(!is_text("photo.jpg") && !is_text("html"));
    }
}
