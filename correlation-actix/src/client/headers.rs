use actix_http::{RequestHead, RequestHeadType};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use awc::ConnectRequest;
use correlation_core::{Extractor, Injector};

/// The headers of a request. Many calls share those of a frozen request. Headers that are added for
/// one call are stored beside them and take precedence.
pub(super) struct Headers<'a>(pub(super) &'a mut ConnectRequest);

impl Headers<'_> {
    fn own(&mut self) -> &mut HeaderMap {
        match self.0 {
            ConnectRequest::Client(RequestHeadType::Owned(head), ..)
            | ConnectRequest::Tunnel(head, _) => &mut head.headers,
            ConnectRequest::Client(RequestHeadType::Rc(_, added), ..) => {
                added.get_or_insert_default()
            }
        }
    }

    /// Replaces shared headers by a copy, because nothing can be removed from the shared ones.
    fn unshare(&mut self) {
        let ConnectRequest::Client(head, ..) = &mut *self.0 else {
            return;
        };
        if let RequestHeadType::Rc(shared, added) = head {
            let mut own = RequestHead::clone(shared);
            let added = added.take().unwrap_or_default();
            for name in added.keys() {
                own.headers.remove(name);
            }
            for (name, value) in added {
                own.headers.append(name, value);
            }
            *head = RequestHeadType::Owned(own);
        }
    }
}

/// The lines that are sent under a name.
impl Extractor for Headers<'_> {
    fn get_all(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        let (added, headers) = match &*self.0 {
            ConnectRequest::Client(RequestHeadType::Owned(head), ..)
            | ConnectRequest::Tunnel(head, _) => (None, &head.headers),
            ConnectRequest::Client(RequestHeadType::Rc(head, added), ..) => {
                (added.as_ref(), &head.headers)
            }
        };
        let added = added.filter(|added| added.contains_key(name));
        let values = added.unwrap_or(headers).get_all(name);
        values.map(HeaderValue::as_bytes)
    }
}

impl Injector for Headers<'_> {
    fn remove(&mut self, key: &'static str) {
        if self.get_all(key).next().is_some() {
            self.unshare();
            self.own().remove(key);
        }
    }

    fn set(&mut self, key: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            // This also works for a frozen request, because added headers precede the shared ones.
            self.own().insert(HeaderName::from_static(key), value);
        }
    }
}
