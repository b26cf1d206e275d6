//! Who may use the API.

use axum::body::Body;
use axum::http::Request;
use skyblast::functions::{ApiKey, Limits, SignIn, UrlApi};

use crate::lab::{Answer, Lab, settings, two_queries};
use crate::ncbi::{encoded, get, put};

const KEY: &str = "correct-horse-battery";
/// `blast:` and the key.
const CREDENTIALS: &str = "Basic Ymxhc3Q6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5";
const LOOK: &str = "CMD=Get&FORMAT_OBJECT=SearchInfo&RID=X";

async fn lab(url_api: UrlApi) -> Lab {
    Lab::with(Limits { url_api, ..Limits::default() }, settings()).await
}

async fn look(lab: &Lab, path: &str, header: Option<(&str, &str)>) -> Answer {
    let mut request = Request::get(format!("{path}?{LOOK}"));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    lab.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn who_has_the_key_may_use_it_and_others_are_asked_for_it() {
    let lab = lab(UrlApi::Keyed(ApiKey::new(KEY).unwrap())).await;
    for header in [
        None,
        Some(("authorization", "Basic Ymxhc3Q6d3Jvbmc=")),
        Some(("authorization", "Bearer correct-horse-battery")),
        Some(("authorization", "Basic ?")),
    ] {
        let answer = look(&lab, "/Blast.cgi", header).await;
        answer.problem(401, "user blast");
        assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{header:?}");
        assert_eq!(look(&lab, "/wrong/Blast.cgi", header).await.status, 401);
    }
    assert_eq!(look(&lab, "/Blast.cgi", Some(("authorization", CREDENTIALS))).await.status, 200);
    assert_eq!(look(&lab, "/cgi-bin/blast.cgi", Some(("Authorization", CREDENTIALS))).await.status, 200);
    for path in [format!("/{KEY}/Blast.cgi"), format!("/api/{KEY}/blast.cgi")] {
        assert_eq!(look(&lab, &path, None).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn without_a_key_it_can_be_closed() {
    let lab = lab(UrlApi::Closed).await;
    look(&lab, "/Blast.cgi", Some(("authorization", CREDENTIALS))).await.problem(403, "SKYBLAST_URL_API_KEY");
}

#[tokio::test]
async fn who_signs_in_needs_the_key_too() {
    let sign_in = Some(SignIn::default());
    let ada = Some(("x-ms-client-principal-id", "ada"));
    let url_api = UrlApi::Keyed(ApiKey::new(KEY).unwrap());
    let keyed =
        Lab::with(Limits { url_api, sign_in: sign_in.clone(), ..Limits::default() }, settings()).await;
    look(&keyed, "/Blast.cgi", ada).await.problem(401, "user blast");
    look(&keyed, &format!("/{KEY}/Blast.cgi"), None).await.problem(401, "sign in");
    assert_eq!(look(&keyed, &format!("/{KEY}/Blast.cgi"), ada).await.status, 200);
    let closed = Limits { url_api: UrlApi::Closed, sign_in, ..Limits::default() };
    look(&Lab::with(closed, settings()).await, "/Blast.cgi", ada).await.problem(403, "closed");
}

#[tokio::test]
async fn where_users_sign_in_a_search_is_its_owners() {
    let sign_in = Some(SignIn::default());
    let lab = Lab::with(Limits { sign_in, ..Limits::default() }, settings()).await;
    let call = async |user: Option<&str>, parameters: &[(&str, &str)]| {
        let mut request = Request::get(format!("/Blast.cgi?{}", encoded(parameters)));
        if let Some(user) = user {
            request = request.header("X-MS-CLIENT-PRINCIPAL-ID", user);
        }
        lab.send(request.body(Body::empty()).unwrap()).await
    };
    let query = two_queries();
    let search = [("CMD", "Put"), ("PROGRAM", "blastp"), ("DATABASE", "edge"), ("QUERY", query.as_str())];
    call(None, &search).await.problem(401, "sign in");
    let rid = crate::ncbi::rid(&call(Some("ada"), &search).await);
    let look = [("CMD", "Get"), ("FORMAT_OBJECT", "SearchInfo"), ("RID", rid.as_str())];
    assert!(call(Some("ada"), &look).await.text().contains("Status=WAITING"));
    assert!(call(Some("eve"), &look).await.text().contains("Status=UNKNOWN"));
    let delete = [("CMD", "Delete"), ("RID", rid.as_str())];
    assert_eq!(call(Some("eve"), &delete).await.status, 404);
    assert_eq!(call(Some("ada"), &delete).await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_site_submits_and_removes_nothing() {
    let lab = Lab::new().await;
    let rid = put(&lab, &two_queries(), &[]).await;
    let blobs = lab.job_blobs().await;
    let submit = "CMD=Put&PROGRAM=blastp&DATABASE=edge&QUERY=MKTAYIAKQRQISFVKSHFSRQ".to_owned();
    for query in [submit, format!("CMD=Delete&RID={rid}")] {
        let request = Request::get(format!("/Blast.cgi?{query}")).header("sec-fetch-site", "cross-site");
        let answer = lab.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    assert_eq!(lab.job_blobs().await, blobs);
    assert_eq!(get(&lab, &[("CMD", "Delete"), ("RID", &rid)]).await.status, 200);
}
