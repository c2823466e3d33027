//! `DELETE /projects/:id/releases/:tag_name/assets/links/:link_id`

use harness::errors::RECORD_NOT_FOUND;
use harness::test_app::{LINKS, TestApp, test_deadline};

#[tokio::test]
async fn the_deleted_link_is_answered_and_everything_of_it_is_free() {
    let (app, api) = TestApp::hello().await;
    let body = r#"{"name":"a","url":"http://e.com/a","filepath":"/bin/a"}"#;
    let made = api.post(LINKS, body).await;
    let link = format!("{LINKS}/{}", made.id());
    // gitbeaker sends an empty object, the Ruby gem a form without a body.
    api.send("DELETE", &link, "application/json", b"{}").await.is(200, &made.body);
    api.send("DELETE", &link, "application/x-www-form-urlencoded", b"")
        .await
        .is(404, RECORD_NOT_FOUND);
    api.get(LINKS).await.is(200, "[]");
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (0, 0, 0));

    let again = api.post(LINKS, body).await;
    assert_eq!(again.status, 201);
    assert_ne!(again.id(), made.id());
    api.delete(&format!("{LINKS}/abc")).await.is(400, r#"{"error":"link_id is invalid"}"#);
}

#[tokio::test]
async fn links_end_with_their_release_and_a_new_one_starts_without_them() {
    let (app, api) = TestApp::hello().await;
    let body = r#"{"name":"a","url":"http://e.com/a","filepath":"/bin/a"}"#;
    let made = api.post(LINKS, body).await;
    let release = app
        .store
        .list_releases(shared::domain::project::ProjectId(20), test_deadline())
        .await
        .unwrap();
    assert!(app.store.delete_release(&release[0], test_deadline()).await.unwrap());
    let not_found = RECORD_NOT_FOUND;
    api.get(LINKS).await.is(404, not_found);
    api.get(&format!("{LINKS}/{}", made.id())).await.is(404, not_found);

    app.release(20, "v1.7.0").await;
    api.get(LINKS).await.is(200, "[]");
    api.get(&format!("{LINKS}/{}", made.id())).await.is(404, not_found);
    assert_eq!(api.post(LINKS, body).await.status, 201);
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (1, 3, 4));

    let now = shared::domain::time::Timestamp::now();
    let swept = app
        .store
        .sweep(now.plus(std::time::Duration::from_secs(1)), std::time::Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!((swept.links, swept.claims), (1, 3));
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (1, 3, 0));
}
