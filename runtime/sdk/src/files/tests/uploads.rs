//! What clients send: kept as a whole, or refused as a whole.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::desk::{BOUNDARY, Desk, ask, field, file, form, part, unfinished, upload};
use crate::files::Limits;
use crate::testing::run;

#[test]
fn a_file_is_kept_listed_served_and_removed() {
    run(async {
        let desk = Desk::new(Limits::default());
        let content = (0..700_000u32).map(|n| n as u8).collect::<Vec<_>>();
        let reply = desk
            .upload(form(&[
                field("album", "Märchen"),
                file("photo", "Ma\u{308}rz.png", "image/png", &content),
                file("empty", "nothing.txt", "application/octet-stream", b""),
                // What a browser sends for a file field that was left alone.
                file("none", "", "application/octet-stream", b""),
            ]))
            .await;
        assert_eq!(reply.status, StatusCode::CREATED);
        let body = reply.json();
        assert_eq!(body["fields"], json!([["album", "Märchen"]]));
        assert_eq!(body["files"].as_array().unwrap().len(), 2);
        let photo = &body["files"][0];
        assert_eq!(
            (
                &photo["field"],
                &photo["name"],
                &photo["content_type"],
                &photo["bytes"]
            ),
            (
                &json!("photo"),
                &json!("M\u{e4}rz.png"),
                &json!("image/png"),
                &json!(700_000)
            )
        );
        // Made by `sha256sum`.
        assert_eq!(
            photo["sha256"],
            "3b8def0881fadff0624c7823f2bdb55ecfa79eaf29b77f259fd58493b95c0f47"
        );
        assert_eq!(
            body["files"][1]["content_type"], "text/plain",
            "from the extension"
        );

        let id = photo["id"].as_str().unwrap();
        let served = desk.get(id, &[]).await;
        assert_eq!(
            (served.status, &served.body[..]),
            (StatusCode::OK, &content[..])
        );
        assert_eq!(served.header(header::CONTENT_LENGTH), "700000");
        assert_eq!(
            served.header(header::CONTENT_DISPOSITION),
            "inline; filename=\"M_rz.png\"; filename*=UTF-8''M%C3%A4rz.png"
        );

        let listed = desk.send(ask(Method::GET, "?limit=1", &[])).await.json();
        assert_eq!(listed["items"][0]["id"], *id);
        assert_eq!(listed["next"], *id);
        let rest = desk
            .send(ask(Method::GET, &format!("?after={id}"), &[]))
            .await
            .json();
        assert_eq!(rest["items"][0]["name"], "nothing.txt");
        assert_eq!(
            (rest["items"].as_array().unwrap().len(), &rest["next"]),
            (1, &Value::Null)
        );

        let removed = desk.send(ask(Method::DELETE, &format!("/{id}"), &[])).await;
        assert_eq!(removed.json(), json!({"ok": true, "id": id}));
        desk.get(id, &[]).await.refused(404, "file_not_found");
        desk.send(ask(Method::DELETE, &format!("/{id}"), &[]))
            .await
            .refused(404, "file_not_found");
        assert_eq!(
            desk.entries().len(),
            1,
            "the other file alone: {:?}",
            desk.entries()
        );
    });
}

#[test]
fn a_name_that_leads_elsewhere_is_refused_and_nothing_stays() {
    run(async {
        let desk = Desk::new(Limits::default());
        let long = format!("name=\"a\"; filename=\"{}\"", "x".repeat(300));
        for disposition in [
            &br#"name="a"; filename="../../outside""#[..],
            br#"name="a"; filename="..""#,
            br#"name="a"; filename="/etc/passwd""#,
            br#"name="a"; filename="..\\..\\outside""#,
            br#"name="a"; filename="nul.txt""#,
            b"name=\"a\"; filename=\"a\tb\"",
            b"name=\"a\"; filename=\"\xff\xfe\"",
            br#"name="a"; filename*=UTF-8''..%2Foutside"#,
            br#"name="a"; filename="""#,
            long.as_bytes(),
        ] {
            let good = file("good", "good.txt", "text/plain", b"good");
            let bad = part(disposition, Some("text/plain"), b"bad");
            let reply = desk.upload(form(&[good, bad])).await;
            reply.refused(422, "bad_file_name");
            assert_eq!(
                desk.entries(),
                BTreeSet::new(),
                "{}",
                disposition.escape_ascii()
            );
        }
        // HTTP itself takes no NUL in a header.
        let reply = desk
            .upload(form(&[part(
                b"name=\"a\"; filename=\"a\0b\"",
                None,
                b"bad",
            )]))
            .await;
        reply.refused(400, "bad_multipart");
        assert!(!desk.data.parent().unwrap().join("outside").exists());
    });
}

#[test]
fn what_is_too_large_leaves_nothing() {
    run(async {
        let limits = Limits::default()
            .max_file_bytes(1000)
            .max_request_bytes(5000)
            .max_field_bytes(100)
            .max_parts(20);
        let desk = Desk::new(limits);
        let of = |bytes: usize| file("f", "f.bin", "image/png", &vec![b'x'; bytes]);
        desk.upload(form(&[of(1000), of(1001)]))
            .await
            .refused(413, "file_too_large");
        desk.upload(form(&[
            of(900),
            of(900),
            of(900),
            of(900),
            of(900),
            of(900),
        ]))
        .await
        .refused(413, "request_too_large");
        desk.upload(form(&[of(1), field("note", &"n".repeat(101))]))
            .await
            .refused(413, "field_too_large");
        desk.upload(form(&[of(1), part(b"name=\"note\"", None, b"\xff")]))
            .await
            .refused(422, "field_not_text");
        desk.upload(form(&vec![of(1); 21]))
            .await
            .refused(413, "too_many_parts");
        assert_eq!(desk.entries(), BTreeSet::new());
        assert_eq!(
            desk.upload(form(&vec![of(1); 20])).await.status,
            StatusCode::CREATED
        );
        assert_eq!(desk.entries().len(), 20);
    });
}

#[test]
fn ten_thousand_parts_are_refused_after_a_few() {
    run(async {
        let desk = Desk::new(Limits::default());
        let parts = vec![file("f", "f.bin", "image/png", b"x"); 10_000];
        let body = form(&parts);
        let pieces: Vec<_> = body.chunks(1000).map(Bytes::copy_from_slice).collect();
        let (total, taken) = (pieces.len(), Arc::new(AtomicUsize::new(0)));
        let counter = taken.clone();
        let pieces = stream::iter(pieces).map(move |piece| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, io::Error>(piece)
        });
        desk.upload(Body::from_stream(pieces))
            .await
            .refused(413, "too_many_parts");
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < total / 2, "{taken} of {total} pieces were read");
        assert_eq!(desk.entries(), BTreeSet::new());
    });
}

#[test]
fn a_head_without_end_is_not_gathered() {
    run(async {
        let desk = Desk::new(Limits::default());
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = taken.clone();
        let begin = Bytes::from(format!("--{BOUNDARY}\r\nContent-Disposition: "));
        let endless = stream::repeat(Bytes::from_static(&[b'a'; 8192])).inspect(move |piece| {
            counter.fetch_add(piece.len(), Ordering::Relaxed);
        });
        let body = stream::once(async { begin })
            .chain(endless)
            .map(Ok::<_, io::Error>);
        desk.upload(Body::from_stream(body))
            .await
            .refused(400, "bad_multipart");
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < 1 << 20, "{taken} bytes were taken");
    });
}

#[test]
fn what_breaks_off_leaves_nothing() {
    run(async {
        let desk = Desk::new(Limits::default().max_silence(Duration::from_millis(50)));
        let begun = unfinished(&vec![b'x'; 600_000]);

        desk.upload(begun.clone())
            .await
            .refused(400, "bad_multipart");
        let broken = Err(io::Error::from(io::ErrorKind::ConnectionReset));
        let body = stream::iter([Ok(Bytes::from(begun.clone())), broken]);
        desk.upload(Body::from_stream(body))
            .await
            .refused(400, "upload_broken_off");
        let silent =
            stream::iter([Ok::<_, io::Error>(Bytes::from(begun.clone()))]).chain(stream::pending());
        desk.upload(Body::from_stream(silent))
            .await
            .refused(408, "upload_stalled");
        assert_eq!(desk.entries(), BTreeSet::new());

        // The client is gone, and with it the handler.
        let patient = Desk::new(Limits::default());
        let body = stream::iter([Ok::<_, io::Error>(Bytes::from(begun))]).chain(stream::pending());
        let mut handler = Box::pin(patient.upload(Body::from_stream(body)));
        while !patient
            .entries()
            .iter()
            .any(|name| name.starts_with(".incoming-"))
        {
            assert!(handler.as_mut().now_or_never().is_none());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(handler);
        // A piece may still be on its way to the disk; the thread that writes it then removes it.
        while !patient.entries().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn other_bodies_are_told_what_is_wanted() {
    run(async {
        let desk = Desk::new(Limits::default());
        let json = Request::post("/files")
            .header(header::CONTENT_TYPE, "application/json")
            .body("{}".into());
        desk.send(json.unwrap()).await.refused(415, "not_multipart");
        desk.upload("no form at all")
            .await
            .refused(400, "bad_multipart");
        desk.upload(form(&[field("a", "b")]))
            .await
            .refused(400, "no_file");
        let limit = ask(Method::GET, "?limit=many", &[]);
        desk.send(limit).await.refused(400, "bad_query");
    });
}

#[test]
fn many_at_once_do_not_meet() {
    run(async {
        let desk = Desk::new(Limits::default());
        let body = |n: usize| {
            form(&[file(
                "f",
                "same.bin",
                "image/png",
                format!("file {n}").as_bytes(),
            )])
        };
        let mut uploads = JoinSet::new();
        for n in 0..20 {
            let sent = desk.router.clone().oneshot(upload(body(n)));
            uploads.spawn(async move { (n, sent.await.unwrap()) });
        }
        for (n, response) in uploads.join_all().await {
            let reply = axum::body::to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap();
            let reply: Value = serde_json::from_slice(&reply).unwrap();
            let id = reply["files"][0]["id"].as_str().unwrap();
            assert_eq!(desk.get(id, &[]).await.body, format!("file {n}"));
        }
        assert_eq!(desk.entries().len(), 20);
    });
}
