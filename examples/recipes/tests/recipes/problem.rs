use correlation_core::CorrelationId;
use serde_json::{Value, json};

/// A document with this status, and the ID that the header has, too.
#[track_caller]
fn assert_problem(media_type: &str, id: &str, body: &[u8], status: u16, title: &str) {
    assert_eq!(media_type, "application/problem+json");
    let document: Value = serde_json::from_slice(body).unwrap();
    let expected = json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "correlation_id": id,
    });
    assert_eq!(document, expected);
    assert!(id.parse::<CorrelationId>().is_ok());
}

const CASES: [(&str, u16, &str); 4] = [
    ("/nothing", 404, "Not Found"),
    ("/items/x", 400, "Bad Request"),
    ("/fails", 500, "Internal Server Error"),
    ("/items/1", 200, ""),
];

mod axum {
    use ::axum::body::{Body, to_bytes};
    use ::axum::extract::Path;
    use ::axum::http::{Request, StatusCode};
    use ::axum::{Router, middleware::map_response, routing::get};
    use correlation_axum::CorrelationLayer;
    use recipes::problem::axum::problem;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn errors_of_axum_name_the_id() {
        let app = Router::new()
            .route("/items/{id}", get(|Path(_): Path<u32>| async {}))
            .route(
                "/fails",
                get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
            )
            .layer(map_response(problem))
            .layer(CorrelationLayer::new());
        for (path, status, title) in super::CASES {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
            let text = |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap());
            let id = text("x-correlation-id").unwrap().to_owned();
            let media_type = text("content-type").map(str::to_owned);
            let body = to_bytes(response.into_body(), 1_000).await.unwrap();
            if title.is_empty() {
                assert_eq!((media_type, body.len()), (None, 0));
            } else {
                super::assert_problem(&media_type.unwrap(), &id, &body, status, title);
            }
        }
        let request = Request::post("/fails").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.headers()["allow"], "GET,HEAD");
    }
}

mod actix {
    use actix_web::middleware::ErrorHandlers;
    use actix_web::{App, HttpResponse, test, web};
    use correlation_actix::Correlation;
    use recipes::problem::actix::problem;

    #[actix_web::test]
    async fn errors_of_actix_name_the_id() {
        let item = |_: web::Path<u32>| async { HttpResponse::Ok().finish() };
        let fails = || async { HttpResponse::InternalServerError().finish() };
        let app = App::new()
            .wrap(ErrorHandlers::new().default_handler(problem))
            .wrap(Correlation::new())
            .route("/items/{id}", web::get().to(item))
            .route("/fails", web::get().to(fails));
        let app = test::init_service(app).await;
        for (path, status, title) in super::CASES {
            // What is not a number is "not found" here.
            let (status, title) = match status {
                400 => (404, "Not Found"),
                _ => (status, title),
            };
            let request = test::TestRequest::get().uri(path).to_request();
            let response = test::call_service(&app, request).await;
            assert_eq!(response.status(), status, "{path}");
            let text = |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap());
            let id = text("x-correlation-id").unwrap().to_owned();
            let media_type = text("content-type").map(str::to_owned);
            let body = test::read_body(response).await;
            if title.is_empty() {
                assert_eq!((media_type, body.len()), (None, 0));
            } else {
                super::assert_problem(&media_type.unwrap(), &id, &body, status, title);
            }
        }
    }
}

mod rocket {
    use ::rocket::http::Status;
    use ::rocket::local::asynchronous::Client;
    use ::rocket::{catchers, get, routes};
    use correlation_rocket::Correlation;
    use recipes::problem::rocket::problem;

    #[get("/<number>")]
    fn item(number: u32) {
        let _ = number;
    }

    #[get("/fails")]
    fn fails() -> Status {
        Status::InternalServerError
    }

    #[tokio::test]
    async fn errors_of_rocket_name_the_id() {
        let rocket = ::rocket::build()
            .attach(Correlation::fairing())
            .mount("/items", routes![item])
            .mount("/", routes![fails])
            .register("/", catchers![problem]);
        let client = Client::untracked(rocket).await.unwrap();
        for (path, status, title) in super::CASES {
            // What is not a number is unprocessable here.
            let (status, title) = match status {
                400 => (422, "Unprocessable Entity"),
                _ => (status, title),
            };
            let response = client.get(path).dispatch().await;
            assert_eq!(response.status().code, status, "{path}");
            let text = |name: &str| response.headers().get_one(name).map(str::to_owned);
            let (id, media_type) = (text("x-correlation-id").unwrap(), text("content-type"));
            let body = response.into_bytes().await.unwrap_or_default();
            if title.is_empty() {
                assert_eq!((media_type, body.len()), (None, 0));
            } else {
                super::assert_problem(&media_type.unwrap(), &id, &body, status, title);
            }
        }
    }
}
