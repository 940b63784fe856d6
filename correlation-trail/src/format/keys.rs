//! The meaning of the keys of structured logs.

use super::Parsed;
use crate::record::Level;
use crate::time::Time;

/// The keys of the time. If an object has none of them, any key that ends like one is used.
const TIME: &str = "timestamp @timestamp time ts t @t datetime asctime Timestamp TimeGenerated \
    timeMillis event_time eventTime StartUTC time_local time_iso8601 start_time date log_time msec";

const LEVEL: &str = "level log.level severity lvl levelname loglevel LogLevel @l error_severity \
    Level log_level SeverityText severity_text s level_name";

const MESSAGE: &str = "message msg @message short_message @m Message Body body MESSAGE \
    RenderedMessage LogMessage log resultDescription";

const SERVICE: &str = "service service.name service_name app application ServiceName AppRoleName \
    ContainerName container_name kubernetes.container.name";

const TARGET: &str = "target logger logger_name log.logger module module_path loggerName Category \
    SourceContext channel c";

/// Keys that are not part of the story: the place in the code, the thread, and the version of the
/// format.
const BESIDE: &str = "span spans file filename line line_number threadId threadName thread_name \
    thread threadPriority ecs ecs.version @version level_value loggerFqcn endOfBatch caller lineno \
    pathname func_name source @i EventId";

/// Returns whether a list of words contains this one.
pub(super) fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

impl Parsed {
    /// Takes a key at the top of a record. Each meaning is taken once. All other keys are fields,
    /// and so is a time or a level that cannot be read.
    pub(super) fn set(&mut self, key: &str, value: String) {
        let is_taken = if has(TIME, key) && self.time.is_none() {
            let utc = key.ends_with("UTC") || key == "TimeGenerated";
            self.time = Time::parse(&value).map(|time| if utc { time.in_utc() } else { time });
            self.time.is_some()
        } else if key.eq_ignore_ascii_case("SeverityLevel") && self.level.is_none() {
            // These are the levels of Application Insights: 0 is verbose, 4 is critical.
            let levels = [
                Level::Debug,
                Level::Info,
                Level::Warn,
                Level::Error,
                Level::Error,
            ];
            let number = value.parse().ok();
            let level = number.and_then(|number: usize| levels.get(number).copied());
            self.level = level.or_else(|| Level::parse(&value));
            self.level.is_some()
        } else if has(LEVEL, key) && self.level.is_none() {
            self.level = Level::parse(&value);
            self.level.is_some()
        } else if has(MESSAGE, key) && self.message.is_empty() {
            return self.message = value;
        } else if has(SERVICE, key) && self.service.is_none() {
            return self.service = Some(value);
        } else if has(TARGET, key) && self.target.is_none() {
            return self.target = Some(value);
        } else {
            // `tracing-log` adds these to records of the `log` crate, and ECS adds them to all
            // records.
            has(BESIDE, key) || key.starts_with("log.") || key.starts_with("process.")
        };
        if !is_taken {
            self.field(key, value);
        }
    }

    pub(super) fn field(&mut self, key: &str, value: String) {
        self.fields.push((key.to_owned(), value));
    }

    /// Removes the first field with one of these names, and returns its value.
    pub(super) fn take(&mut self, names: &str) -> Option<String> {
        let at = self.fields.iter().position(|(key, _)| has(names, key))?;
        Some(self.fields.remove(at).1)
    }

    /// Looks for a time under a key that is not a usual one: `EdgeStartTimestamp`, `stageTime`.
    pub(super) fn find_time(&mut self) {
        let like = |key: &str| {
            let key = key.to_ascii_lowercase();
            ["time", "timestamp", "date", "_at"]
                .iter()
                .any(|end| key.ends_with(end))
        };
        let mut fields = self.fields.iter().filter(|(key, _)| like(key));
        self.time = self
            .time
            .or_else(|| fields.find_map(|(_, value)| Time::parse(value)));
    }

    /// Makes the statement the message of a record of a database statement, which has no message.
    ///
    /// `db.statement` and `db.query.text` are OpenTelemetry's names. For a short statement, sqlx
    /// writes only the summary.
    pub(super) fn name_statement(&mut self) {
        let statement = "db.query.text db.statement";
        if !self.message.is_empty() || !self.fields.iter().any(|(key, _)| has(statement, key)) {
            return;
        }
        let statement = self.take(statement).unwrap_or_default();
        // A statement over several lines becomes one line.
        let words: Vec<_> = statement.split_whitespace().collect();
        self.message = words.join(" ");
        let summary = self.take("summary").unwrap_or_default();
        let start = summary.trim_end_matches(['\u{2026}', ' ']);
        if self.message.is_empty() {
            self.message = summary;
        } else if !self.message.starts_with(start) {
            self.field("summary", summary);
        }
    }

    /// Makes a message of the parts of a request, because an access log has no message.
    pub(super) fn name_request(&mut self) {
        if self.message.is_empty() {
            let method =
                self.take("method request_method RequestMethod ClientRequestMethod requestMethod");
            let request = method.or_else(|| self.take("request"));
            let path =
                self.take("path uri url request_uri RequestPath ClientRequestURI requestUrl");
            self.message = request
                .into_iter()
                .chain(path)
                .collect::<Vec<_>>()
                .join(" ");
        }
    }

    /// Raises the level to an error if a record of a served request has a status of 500 or higher.
    pub(super) fn raise_by_status(&mut self) {
        const STATUS: &str = "status status_code statusCode DownstreamStatus http.status_code \
            http.response.status_code response_code res.statusCode EdgeResponseStatus";
        const REQUEST: &str = "method RequestMethod http.method http.request.method request_method \
            request httpRequest req ClientRequestMethod requestMethod";
        let value = |names| self.fields.iter().find(|(key, _)| has(names, key));
        let status = value(STATUS).and_then(|(_, status)| status.parse::<u16>().ok());
        let failed = status.is_some_and(|status| status >= 500) && value(REQUEST).is_some();
        if failed && self.level.is_none_or(|level| level <= Level::Info) {
            self.level = Some(Level::Error);
        }
    }
}
