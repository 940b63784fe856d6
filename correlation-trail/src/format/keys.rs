//! The meaning of the keys of structured logs.

use super::Parsed;
use crate::record::Level;
use crate::time::Time;

/// The keys of the time. Loggers use the names before the bar. Applications use those behind it for
/// other things, too, so they count only if there is no better name: also in the lists below. If an
/// object has none of them, any key that ends like one is used.
const TIME: &str = "timestamp @timestamp time ts @t datetime asctime Timestamp \
    TimeGenerated timeMillis StartUTC time_local time_iso8601 log_time msec \
    | t date start_time event_time eventTime";

const LEVEL: &str = "level log.level severity lvl levelname loglevel LogLevel @l error_severity \
    Level log_level SeverityText severity_text level_name severityLevel SeverityLevel | s";

const MESSAGE: &str = "message msg @message short_message @m Message MESSAGE RenderedMessage \
    LogMessage | Body body log resultDescription";

const SERVICE: &str = "service service.name service_name ServiceName \
    | app application AppRoleName ContainerName container_name kubernetes.container.name";

const TARGET: &str = "target logger logger_name log.logger module_path loggerName Category \
    SourceContext | module channel c";

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
    /// Takes a key at the top of a record. Each meaning is taken once, except that a sure name
    /// replaces an unsure one. All other keys are fields, and so is a time or a level that cannot be
    /// read.
    pub(super) fn set(&mut self, key: &str, value: String) {
        let meanings = [
            (TIME, self.time.is_some()),
            (LEVEL, self.level.is_some()),
            (MESSAGE, !self.message.is_empty()),
            (SERVICE, self.service.is_some()),
            (TARGET, self.target.is_some()),
        ];
        let meaning = meanings.into_iter().find_map(|(names, is_known)| {
            let (sure, unsure) = names.split_once('|')?;
            let is_sure = has(sure, key);
            let is_free = !is_known || is_sure && self.unsure.iter().any(|old| old.0 == names);
            (is_free && (is_sure || has(unsure, key))).then_some((names, is_sure))
        });
        // `null` says nothing, and an object is no name.
        let is_name =
            |&(names, _): &_| ![SERVICE, TARGET].contains(&names) || !value.starts_with('{');
        let meaning = meaning.filter(is_name).filter(|_| value != "null");
        let is_taken = match meaning.map_or("", |(names, _)| names) {
            TIME => {
                let utc = key.ends_with("UTC") || key == "TimeGenerated";
                let time = Time::parse(&value).map(|time| if utc { time.in_utc() } else { time });
                self.time = time.or(self.time);
                time.is_some()
            }
            LEVEL => {
                // These are the levels of Application Insights: 0 is verbose, 4 is critical.
                let number = value.parse().ok().filter(|_| key.ends_with("everityLevel"));
                let mut levels = "debug info warn error error".split(' ');
                let level = Level::parse(number.and_then(|n| levels.nth(n)).unwrap_or(&value));
                self.level = level.or(self.level);
                level.is_some()
            }
            MESSAGE if value.is_empty() => return,
            MESSAGE => {
                self.message.clone_from(&value);
                true
            }
            SERVICE => {
                self.service = Some(value.clone());
                true
            }
            TARGET => {
                self.target = Some(value.clone());
                true
            }
            // `tracing-log` adds these to records of the `log` crate, and ECS adds them to all
            // records.
            _ => has(BESIDE, key) || key.starts_with("log.") || key.starts_with("process."),
        };
        if let Some((names, is_sure)) = meaning.filter(|_| is_taken) {
            // The pair that is replaced stays a field.
            self.unsure.retain(|old| old.0 != names);
            if is_sure {
                return;
            }
            self.unsure.push((names, self.fields.len()));
        } else if is_taken {
            return;
        }
        self.field(key, value);
    }

    /// Removes the pairs from the fields for which there was no better name.
    pub(super) fn settle(&mut self) {
        for (_, at) in std::mem::take(&mut self.unsure).into_iter().rev() {
            self.fields.remove(at);
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

    /// Does what needs all keys of the record.
    pub(super) fn finish(&mut self) {
        self.raise_by_status();
        self.name_statement();
        self.name_request();
    }

    /// Makes the statement the message of a record of a database statement, which has no message.
    ///
    /// `db.statement` and `db.query.text` are OpenTelemetry's names. For a short statement, sqlx
    /// writes only the summary.
    fn name_statement(&mut self) {
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
    fn name_request(&mut self) {
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
    fn raise_by_status(&mut self) {
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
