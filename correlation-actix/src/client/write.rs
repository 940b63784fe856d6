use actix_http::RequestHeadType;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use awc::ConnectRequest;
use correlation_core::{Context, Injector, Targets, sync_scope};

/// Writes the context to the headers of a request, never over what is there.
pub(super) fn write(context: &Context, targets: &Targets, request: &mut ConnectRequest) {
    let mut headers = match request {
        ConnectRequest::Client(RequestHeadType::Owned(head), ..)
        | ConnectRequest::Tunnel(head, _) => Headers {
            own: &mut head.headers,
            shared: None,
        },
        // A frozen request, which many calls share, and what is added to it for this call.
        ConnectRequest::Client(RequestHeadType::Rc(head, extra), ..) => Headers {
            own: extra.get_or_insert_default(),
            shared: Some(&head.headers),
        },
    };
    sync_scope(context.clone(), || targets.inject(&mut headers));
}

struct Headers<'a> {
    own: &'a mut HeaderMap,
    shared: Option<&'a HeaderMap>,
}

impl Injector for Headers<'_> {
    fn set(&mut self, key: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.own.insert(HeaderName::from_static(key), value);
        }
    }

    fn contains(&self, key: &str) -> bool {
        let contains = |headers: &HeaderMap| headers.contains_key(key);
        contains(self.own) || self.shared.is_some_and(contains)
    }
}
