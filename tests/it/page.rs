//! The page of a generated plugin, in a browser.

use serde_json::json;

use crate::support::{Browser, Daemon, Project, Sandbox, get, post};

/// Helpers in the page: it draws itself in a shadow root.
const HELPERS: &str = "window.$ = (s) => document.querySelector('it-page').shadowRoot.querySelector(s); \
    window.$$ = (s) => [...document.querySelector('it-page').shadowRoot.querySelectorAll(s)]; \
    window.type = (name, value) => { const field = $(`[name=\"field-${name}\"]`); field.value = value; };";

#[test]
fn forms_and_tables_come_from_the_desks_and_follow_what_happens() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-page");
    let daemon = Daemon::start(&sandbox);
    let load = || {
        let bundle = plugin.bundle();
        let _installed = sandbox
            .hecate(&format!("install {}", bundle.display()))
            .ok();
    };
    load();
    let mut page = Browser::open(&format!("http://localhost:{}/plugin/it-page/", daemon.port));
    let ready = "document.querySelector('it-page')?.shadowRoot?.querySelector('.state')?.textContent === 'Live, healthy'";
    page.wait_until(ready);
    page.run(HELPERS);
    assert_eq!(page.run("$('.nothing h2').textContent"), "Nothing here yet");

    let _made = plugin
        .hecate("gen division order customer:string total:decimal")
        .ok();
    load();
    page.reload();
    page.wait_until(ready);
    page.run(HELPERS);
    assert_eq!(
        page.run("$$('form').map((form) => form.dataset.desk)"),
        json!(["initiate_order"])
    );

    // Typed and sent: the row is there.
    page.run("type('customer', 'Ada'); type('total', '49.00'); $('form button').click()");
    page.wait_until("$$('tbody tr td').some((cell) => cell.textContent === 'Ada')");
    let rows = get(daemon.port, "/plugin/it-page/api/orders").json();
    assert_eq!(rows["items"][0]["total"], "49.00");

    // Somebody else sends one: the row is there too, without anything done here.
    let body = json!({"customer": "Grace", "total": "310"});
    let elsewhere = post(daemon.port, "/plugin/it-page/api/orders/initiate", &body);
    assert_eq!(elsewhere.status, 201);
    page.wait_until("$$('tbody tr td').some((cell) => cell.textContent === 'Grace')");

    // What is wrong is said at its field.
    page.run("type('customer', 'Bob'); type('total', 'much'); $('form button').click()");
    page.wait_until("$('[name=\"field-total\"]').getAttribute('aria-invalid') === 'true'");

    // One more desk: reload, and its form is there.
    let _made = plugin.hecate("gen desk cmd confirm order note:string").ok();
    load();
    page.reload();
    page.wait_until(ready);
    page.run(HELPERS);
    page.wait_until("$$('tbody tr button').length === 2");
    page.run("$('tbody tr button').click()");
    page.run("$$('dialog label').find((label) => label.textContent === 'Confirm order').click()");
    page.run("type('note', 'by telephone'); $('dialog form button').click()");
    page.wait_until("$$('tbody tr td').some((cell) => cell.textContent === 'by telephone')");
}

#[test]
fn the_launcher_lists_plugins_and_how_they_are() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    let url = format!("http://127.0.0.1:{}/", daemon.port);
    let mut page = Browser::open(&url);
    page.wait_until("(document.body?.textContent ?? '').includes('No plugin yet')");
    let bundle = crate::support::orders().display();
    let _installed = sandbox
        .hecate(&format!("install {bundle} --allow-unsigned"))
        .ok();
    page.wait_until("document.querySelector('a[href=\"/plugin/it-orders/\"]') !== null");
    page.wait_until("(document.body?.textContent ?? '').includes('ready')");
}
