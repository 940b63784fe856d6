use correlation_core::Targets;
use reqwest::redirect::Policy;

use crate::propagate::destination;

/// Follows at most 10 redirects, as reqwest does by itself, and none out of the targets: the
/// redirect is the answer then.
///
/// reqwest sends all headers but credentials to wherever it is redirected, and nothing can take
/// one back on the way. So without this policy the ID follows a redirect out of the targets.
///
/// A call to a host that is not among the targets has no ID, so its redirects are followed
/// wherever they lead.
///
/// A policy of your own can ask this one for what it follows itself:
///
/// ```
/// use correlation_reqwest::correlation::Targets;
/// use correlation_reqwest::redirect_policy;
/// use reqwest::redirect::Policy;
///
/// let among_targets = redirect_policy(Targets::hosts([".internal"]));
/// let at_most_3 = Policy::custom(move |attempt| match attempt.previous().len() {
///     0..=3 => among_targets.redirect(attempt),
///     _ => attempt.stop(),
/// });
/// # drop(at_most_3);
/// ```
#[must_use]
pub fn redirect_policy(targets: Targets) -> Policy {
    Policy::custom(move |attempt| {
        // The first URL decided whether the ID was sent.
        let carries_id = attempt
            .previous()
            .first()
            .is_none_or(|first| targets.allows(destination(first)));
        if carries_id && !targets.allows(destination(attempt.url())) {
            return attempt.stop();
        }
        // A custom policy has no limit of its own.
        Policy::limited(10).redirect(attempt)
    })
}
