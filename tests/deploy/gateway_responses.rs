//! API Gateway's own error responses, held to the bodies in the code.

use shared::api::error_response::GatewayError;

use super::template::{read, resources};

/// The error that the code has for one of API Gateway's own.
fn error(response_type: &str) -> GatewayError {
    match response_type {
        "DEFAULT_4XX" => GatewayError::BadRequest,
        "DEFAULT_5XX" => GatewayError::Internal,
        "MISSING_AUTHENTICATION_TOKEN" | "RESOURCE_NOT_FOUND" => GatewayError::NotFound,
        "REQUEST_TOO_LARGE" => GatewayError::BodyTooLarge,
        "THROTTLED" => GatewayError::TooManyRequests,
        "WAF_FILTERED" => GatewayError::Forbidden,
        "INTEGRATION_FAILURE" | "INTEGRATION_TIMEOUT" => GatewayError::Unavailable,
        other => panic!("{other} is answered with nothing of the code's"),
    }
}

#[test]
fn the_gateway_answers_with_the_errors_of_the_code() {
    let template = read("infra/template.yaml");
    let [(_, api)] = &resources(&template, "AWS::Serverless::Api")[..] else { panic!("one API") };
    let responses = api["Properties"]["GatewayResponses"].as_mapping().unwrap();
    assert_eq!(responses.len(), 9);
    for (response_type, response) in responses {
        let response_type = response_type.as_str().unwrap();
        let answer = error(response_type).answer();
        assert_eq!(response["StatusCode"], u64::from(answer.status.as_u16()), "{response_type}");
        let templates = response["ResponseTemplates"].as_mapping().unwrap();
        let bodies: Vec<_> =
            templates.iter().map(|(kind, body)| (kind.as_str(), body.as_str())).collect();
        let content_type = answer.headers["content-type"].to_str().ok();
        assert_eq!(bodies, [(content_type, Some(answer.body.as_str()))], "{response_type}");
        let headers = response["ResponseParameters"]["Headers"].as_mapping().unwrap();
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str().unwrap().to_lowercase(), value.as_str().unwrap()))
            .collect();
        headers.sort();
        let mut expected: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| *name != "content-type")
            .map(|(name, value)| {
                (name.as_str().to_owned(), format!("'{}'", value.to_str().unwrap()))
            })
            .collect();
        expected.sort();
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| (name.clone(), value.as_str())).collect();
        assert_eq!(headers, expected, "{response_type}");
    }
}
