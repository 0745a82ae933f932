//! What clients get: parts, conditions, nothing that runs, nothing that is not theirs.

use std::collections::BTreeSet;
use std::fs;

use futures_util::StreamExt;
use http::{Method, header};
use tower::ServiceExt;

use super::desk::{Desk, ask};
use crate::files::Limits;
use crate::testing::run;

#[test]
fn ranges_and_conditions() {
    run(async {
        let desk = Desk::new(Limits::default());
        let id = desk.keep("a.txt", "text/plain", b"0123456789").await;
        let etag = desk.get(&id, &[]).await.header(header::ETAG).to_owned();
        // Made by `sha256sum`.
        assert_eq!(
            etag,
            "\"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\""
        );

        for (headers, status, body, range) in [
            (
                &[("range", "bytes=2-4")][..],
                206,
                &b"234"[..],
                "bytes 2-4/10",
            ),
            (&[("range", "bytes=-3")], 206, b"789", "bytes 7-9/10"),
            (&[("range", "bytes=8-")], 206, b"89", "bytes 8-9/10"),
            (&[("range", "bytes=8-100")], 206, b"89", "bytes 8-9/10"),
            (&[("range", "bytes=0-1,4-5")], 200, b"0123456789", ""),
            (&[("range", "lines=1-2")], 200, b"0123456789", ""),
            (
                &[("range", "bytes=2-4"), ("if-range", &etag)],
                206,
                b"234",
                "bytes 2-4/10",
            ),
            (
                &[("range", "bytes=2-4"), ("if-range", "\"other\"")],
                200,
                b"0123456789",
                "",
            ),
            (&[("if-none-match", &etag)], 304, b"", ""),
            (&[("if-none-match", "\"other\"")], 200, b"0123456789", ""),
            (
                &[("if-modified-since", "Wed, 21 Oct 2099 07:28:00 GMT")],
                304,
                b"",
                "",
            ),
        ] {
            let reply = desk.get(&id, headers).await;
            let got = (
                reply.status.as_u16(),
                &reply.body[..],
                reply.header(header::CONTENT_RANGE),
            );
            assert_eq!(got, (status, body, range), "{headers:?}");
            assert_eq!(reply.header(header::ETAG), etag, "{headers:?}");
        }
        let beyond = desk.get(&id, &[("range", "bytes=10-")]).await;
        beyond.refused(416, "range_not_satisfiable");
        assert_eq!(beyond.header(header::CONTENT_RANGE), "bytes */10");
        desk.get(&id, &[("if-match", "\"other\"")])
            .await
            .refused(412, "precondition_failed");
        desk.get(
            &id,
            &[("if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT")],
        )
        .await
        .refused(412, "precondition_failed");

        let head = desk.send(ask(Method::HEAD, &format!("/{id}"), &[])).await;
        assert_eq!(
            (
                head.status.as_u16(),
                head.header(header::CONTENT_LENGTH),
                head.body.len()
            ),
            (200, "10", 0)
        );
    });
}

#[test]
fn what_may_hold_scripts_is_saved_and_not_shown() {
    run(async {
        let desk = Desk::new(Limits::default());
        for (name, kind) in [
            ("a.html", "text/html"),
            ("a.svg", "image/svg+xml"),
            ("a.xml", "application/xml"),
            ("a.pdf", "application/pdf"),
            ("a.png", "text/html; charset=utf-7"),
            ("a", "application/octet-stream"),
        ] {
            let id = desk.keep(name, kind, b"<script>alert(1)</script>").await;
            let reply = desk.get(&id, &[]).await;
            assert!(
                reply
                    .header(header::CONTENT_DISPOSITION)
                    .starts_with("attachment; "),
                "{kind}"
            );
            assert_eq!(
                reply.header(header::CONTENT_SECURITY_POLICY),
                "default-src 'none'; sandbox"
            );
            assert_eq!(reply.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert_eq!(reply.header(header::CONTENT_TYPE), kind);
        }
        for (name, kind) in [
            ("a.png", "image/png"),
            ("a.mp4", "video/mp4"),
            ("a.txt", "text/plain"),
        ] {
            let reply = desk.get(&desk.keep(name, kind, b"x").await, &[]).await;
            assert!(
                reply
                    .header(header::CONTENT_DISPOSITION)
                    .starts_with("inline; "),
                "{kind}"
            );
            assert_eq!(reply.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
    });
}

/// The original crashed on a missing file, and kept its handle.
#[test]
fn what_is_missing_is_said_and_holds_nothing_open() {
    run(async {
        let desk = Desk::new(Limits::default());
        let missing = uuid::Uuid::now_v7().to_string();
        desk.get(&missing, &[]).await.refused(404, "file_not_found");
        let id = desk.keep("a.txt", "text/plain", b"0123456789").await;
        let secret = desk.data.join("secret");
        fs::write(&secret, "secret").unwrap();
        for other in [
            &*missing,
            "..%2Fsecret",
            "%2Fetc%2Fpasswd",
            ".incoming-x",
            "%00",
            &id.to_uppercase(),
            &id.replace('-', ""),
            &format!("{id}%2Fabout.json"),
        ] {
            desk.get(other, &[]).await.refused(404, "file_not_found");
            desk.send(ask(Method::DELETE, &format!("/{other}"), &[]))
                .await
                .refused(404, "file_not_found");
        }
        assert!(secret.exists());

        fs::write(desk.data.join("files").join(&id).join("content"), "0123").unwrap();
        desk.get(&id, &[]).await.refused(500, "file_damaged");
        assert_eq!(desk.files.list(None, 10).await.unwrap().items, []);

        let mut open = fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
        assert_eq!(open.find(|path| path.starts_with(&desk.data)), None);
    });
}

#[test]
fn who_reads_a_file_that_is_removed_reads_it_to_its_end() {
    run(async {
        let desk = Desk::new(Limits::default());
        let content = vec![b'x'; 3_000_000];
        let id = desk.keep("a.bin", "video/mp4", &content).await;
        let request = ask(Method::GET, &format!("/{id}"), &[]);
        let response = desk.router.clone().oneshot(request).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        let mut read = body.next().await.unwrap().unwrap().len();
        desk.files.delete(&id).await.unwrap();
        while let Some(chunk) = body.next().await {
            read += chunk.unwrap().len();
        }
        assert_eq!(read, content.len());
        assert_eq!(desk.entries(), BTreeSet::new());
    });
}
