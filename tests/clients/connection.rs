//! The first request of the Rust crate `gitlab`: it ends in a bare question mark, and needs a status of
//! 2xx.

use super::Expected;
use harness::errors::UNAUTHORIZED;

#[tokio::test]
async fn the_rust_crate_finds_out_whose_its_token_is() {
    let expected = Expected::start(&[]).await;
    let anonymous = expected.app.anonymous().with("accept", "*/*");
    let bearer = format!("Bearer {}", expected.token);
    for (path, name, value) in [
        ("/api/v4/user?", "private-token", expected.token.as_str()),
        ("/api/v4/user?", "authorization", &bearer),
        ("/api/v4/job?", "job-token", &expected.job_token),
    ] {
        let reply = anonymous.with(name, value).get(path).await;
        assert_eq!(reply.status, 200, "{path} {name}: {reply:?}");
    }
    for (path, name) in [("/api/v4/user?", "private-token"), ("/api/v4/job?", "job-token")] {
        anonymous.with(name, "unknown").get(path).await.is(401, UNAUTHORIZED);
    }
}
