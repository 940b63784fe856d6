use correlation_core::Targets;
use reqwest::redirect::Policy;

use crate::propagate::destination;

/// Makes a redirect policy that follows at most 10 redirects, as reqwest does by default, and none
/// that leaves the targets.
///
/// A redirect to any other host becomes the answer of the call. When reqwest follows a redirect, it
/// sends all headers except credentials, and no code can remove one on the way. So without this
/// policy, the ID follows a redirect to other hosts.
///
/// A call to a host that is not a target has no ID. So its redirects are followed wherever they
/// lead.
///
/// Your own policy can call this one:
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
        // A custom policy has no limit unless it sets one.
        Policy::limited(10).redirect(attempt)
    })
}
