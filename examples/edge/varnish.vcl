# Varnish at the edge: one correlation ID for each request. Varnish 7.1 or later.
#
#   varnishd -F -a 127.0.0.1:8080 -n "$PWD/run" -f "$PWD/varnish.vcl"
#   varnishncsa -n "$PWD/run" -f varnishncsa.format > access.log     # with -d: what is in memory

vcl 4.1;

import std;

backend first {
    .host = "127.0.0.1";
    .port = "3000";
    .connect_timeout = 5s;
    .first_byte_timeout = 30s;
}

backend second {
    .host = "127.0.0.1";
    .port = "3001";
    .connect_timeout = 5s;
    .first_byte_timeout = 30s;
}

sub vcl_recv {
    # Once a request: not again for its restarts and the parts of a page.
    if (req.restarts == 0 && req.esi_level == 0) {
        call correlation_id;
    }
    # What strangers send to look like a proxy or another service.
    unset req.http.X-Request-ID;
    unset req.http.X_Correlation_ID;
    unset req.http.X_Request_ID;
    unset req.http.traceparent;
    unset req.http.tracestate;
    unset req.http.baggage;
    unset req.http.Forwarded;
    unset req.http.X-Forwarded-Host;
    set req.http.X-Forwarded-For = client.ip;
    set req.http.X-Forwarded-Proto = "http";

    # Varnish would hand over the connection of a method it does not know, and with it all that comes
    # after this request, unread.
    if (req.method !~ "^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$") {
        return (synth(405));
    }
    if (req.url ~ "^/internal/") {
        return (synth(404));
    }
    if (req.url == "/old") {
        return (synth(308));
    }
}

sub correlation_id {
    # Two lines with the header become one with a comma, which is no ID.
    std.collect(req.http.X-Correlation-ID);
    # What `Connection` names is for one hop only: Varnish takes out what came so, not what is set here.
    set req.http.X-Correlation-ID = "" + req.http.X-Correlation-ID;
    # Keeps a valid ID of the client. Without the next line each request gets a new ID.
    if (req.http.X-Correlation-ID ~ "^(?!(?i:nil|null|none|unknown|undefined|[0-]+)$)[A-Za-z0-9_.:+/=#@|~-]{1,128}$") { return; }
    # The form of a UUIDv4. Varnish has random numbers and no hexadecimal ones: its digits are 0 to 9,
    # of a generator that it seeds with 32 bits when it starts.
    set req.http.X-Correlation-ID =
        "" + std.integer(real = std.random(10000000, 100000000)) + "-" +
        std.integer(real = std.random(1000, 10000)) + "-4" +
        std.integer(real = std.random(100, 1000)) + "-8" +
        std.integer(real = std.random(100, 1000)) + "-" +
        std.integer(real = std.random(100000, 1000000)) +
        std.integer(real = std.random(100000, 1000000));
}

# A request that got no answer goes to the other backend, with the same ID. An order is not sent again:
# here nothing tells one that was taken from one that did not get there.
sub vcl_backend_fetch {
    if (bereq.retries == 0) {
        set bereq.backend = first;
    } else {
        set bereq.backend = second;
    }
}
sub vcl_backend_error {
    if (bereq.retries == 0 && bereq.method ~ "^(GET|HEAD)$") {
        return (retry);
    }
}

# Keeps only what the service says may be kept.
sub vcl_backend_response {
    if (!beresp.http.Cache-Control) {
        set beresp.uncacheable = true;
    }
}

# The header of the answer: that of this request, also if the page comes from the cache.
sub vcl_deliver {
    set resp.http.X-Correlation-ID = req.http.X-Correlation-ID;
}
# Where Varnish itself answers. A request that cannot be read has none: Varnish answers 400 before
# any VCL.
sub vcl_synth {
    set resp.http.X-Correlation-ID = req.http.X-Correlation-ID;
    if (resp.status == 308) {
        set resp.http.Location = "/id";
        return (deliver);
    }
}
