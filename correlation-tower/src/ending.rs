use bytes::Buf;
use correlation_core::{Access, Context, Policy};
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};

/// Follows a request to the end of its body, for the access record.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) access: Access,
    is_head: bool,
    /// The bytes of the body that are still to come, if the response says how many there are:
    /// after them nobody asks for more.
    rest: Option<u64>,
}

impl Ending {
    /// Begins the record, if the policy wants one.
    #[inline]
    pub(crate) fn new<Q>(policy: &Policy, context: &Context, request: &Request<Q>) -> Self {
        if policy.wants_access() {
            Self::begin(policy, context, request)
        } else {
            Self::default()
        }
    }

    #[cold]
    fn begin<Q>(policy: &Policy, context: &Context, request: &Request<Q>) -> Self {
        let (method, path) = (request.method(), request.uri().path());
        Self {
            access: policy.begin_access(context, method.as_str(), path),
            is_head: *method == Method::HEAD,
            rest: None,
        }
    }

    /// The response is known.
    #[inline]
    pub(crate) fn response<B: Body>(&mut self, response: &Response<B>) {
        if self.access.is_open() {
            self.begin_body(response);
        }
    }

    #[cold]
    fn begin_body<B: Body>(&mut self, response: &Response<B>) {
        self.access.status(response.status().as_u16());
        let length = response.headers().get(CONTENT_LENGTH);
        self.rest = length.and_then(|length| length.to_str().ok()?.parse().ok());
        // Of these nobody reads the body.
        let bodiless = matches!(
            response.status(),
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        let empty = bodiless || self.rest == Some(0) || response.body().is_end_stream();
        if self.is_head || empty {
            self.access.complete();
        }
    }

    /// Whether this part of the body is the last that will be asked for.
    pub(crate) fn is_last<D: Buf>(&mut self, frame: &Frame<D>) -> bool {
        let bytes = frame.data_ref().map_or(0, Buf::remaining);
        let Some(rest) = &mut self.rest else {
            return false;
        };
        *rest = rest.saturating_sub(bytes.try_into().unwrap_or(u64::MAX));
        *rest == 0
    }
}
