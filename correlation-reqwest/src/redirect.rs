use correlation_core::Targets;
use reqwest::redirect::Policy;

/// Follows at most 10 redirects, as reqwest does by itself, and none to a host that is not among
/// the targets: the redirect is the answer then.
///
/// reqwest sends all headers but credentials to wherever it is redirected, and nothing can take
/// one back on the way. So without this policy the ID follows a redirect out of the targets.
#[must_use]
pub fn redirect_policy(targets: Targets) -> Policy {
    Policy::custom(move |attempt| {
        if attempt
            .url()
            .host_str()
            .is_some_and(|host| targets.allow(host))
        {
            // A custom policy has no limit of its own.
            Policy::limited(10).redirect(attempt)
        } else {
            attempt.stop()
        }
    })
}
