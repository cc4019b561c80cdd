#include "src/formats/time_text.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/model/millis.h"

namespace tokendb {
namespace {

// Takes parts off the front of a text. Each call returns false, and leaves the
// text alone, if it does not begin so.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  bool Skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  // Exactly `width` digits.
  bool Number(size_t width, int& value) {
    if (rest_.size() < width) return false;
    int number = 0;
    for (const char c : rest_.substr(0, width)) {
      if (!IsDigit(c)) return false;
      number = number * 10 + (c - '0');
    }
    value = number;
    rest_.remove_prefix(width);
    return true;
  }

  // One digit or more.
  bool Digits(std::string_view& digits) {
    size_t size = 0;
    while (size < rest_.size() && IsDigit(rest_[size])) ++size;
    digits = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return size > 0;
  }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  std::string_view rest_;
};

absl::Status BadTime(std::string_view text, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", absl::CHexEscape(AbslView(text)), "\" is no time: ", why));
}

absl::Duration Nanoseconds(std::string_view digits) {
  int64_t nanoseconds = 0;
  for (size_t i = 0; i < 9; ++i) {
    nanoseconds = nanoseconds * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  return absl::Nanoseconds(nanoseconds);
}

// The distance from UTC at the end of a time; absent if there is none.
std::optional<absl::Duration> ScanZone(Scanner& scan) {
  if (scan.Skip("Z") || scan.Skip("z") || scan.Skip(" UTC")) {
    return absl::ZeroDuration();
  }
  const bool behind = scan.Skip("-");
  if (!behind && !scan.Skip("+")) return std::nullopt;
  int hours = 0;
  int minutes = 0;
  if (!scan.Number(2, hours) || !scan.Skip(":") || !scan.Number(2, minutes) ||
      hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  const absl::Duration offset = absl::Hours(hours) + absl::Minutes(minutes);
  return behind ? -offset : offset;
}

absl::StatusOr<absl::Time> CheckedRange(std::string_view text,
                                        absl::Time time) {
  if (time < FromMillis(kMinMillis) ||
      time >= FromMillis(kMaxMillis) + absl::Milliseconds(1)) {
    return BadTime(text, "it is outside of the years 1 to 9999");
  }
  return time;
}

constexpr char kExpected[] =
    "use 2025-07-16T06:07:42Z, \"2025-07-16 06:07:42 UTC\" or 2025-07-16";

}  // namespace

absl::StatusOr<absl::Time> ParseTime(std::string_view text) {
  Scanner scan(text);
  int year = 0;
  int month = 0;
  int day = 0;
  if (!scan.Number(4, year) || !scan.Skip("-") || !scan.Number(2, month) ||
      !scan.Skip("-") || !scan.Number(2, day)) {
    return BadTime(text, kExpected);
  }
  const absl::CivilDay date(year, month, day);
  if (date.month() != month || date.day() != day) {
    return BadTime(text, "there is no such day");
  }
  const absl::Time midnight = absl::FromCivil(date, absl::UTCTimeZone());
  if (scan.AtEnd()) return CheckedRange(text, midnight);

  int hour = 0;
  int minute = 0;
  int second = 0;
  if ((!scan.Skip("T") && !scan.Skip("t") && !scan.Skip(" ")) ||
      !scan.Number(2, hour) || !scan.Skip(":") || !scan.Number(2, minute) ||
      !scan.Skip(":") || !scan.Number(2, second)) {
    return BadTime(text, kExpected);
  }
  // Second 60 is a leap second, which UTC as computers keep it does not have:
  // it becomes the first of the next minute.
  if (hour > 23 || minute > 59 || second > 60) {
    return BadTime(text, "there is no such time of day");
  }
  std::string_view fraction;
  if (scan.Skip(".") && !scan.Digits(fraction)) return BadTime(text, kExpected);
  if (scan.AtEnd()) return BadTime(text, "it has no time zone");
  const std::optional<absl::Duration> offset = ScanZone(scan);
  if (!offset.has_value() || !scan.AtEnd()) return BadTime(text, kExpected);
  return CheckedRange(text, midnight + absl::Hours(hour) +
                                absl::Minutes(minute) + absl::Seconds(second) +
                                Nanoseconds(fraction) - *offset);
}

absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now) {
  if (text == "now") return now;
  std::string_view span = text;
  bool past = false;
  if (span.ends_with(" ago")) {
    past = true;
    span.remove_suffix(4);
  } else if (span.starts_with('-') || span.starts_with('+')) {
    past = span.front() == '-';
    span.remove_prefix(1);
  }
  const absl::StatusOr<absl::Duration> distance = ParseSpan(span);
  if (!distance.ok()) {
    absl::StatusOr<absl::Time> time = ParseTime(text);
    if (time.ok()) return time;
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(time.status().message()),
                     ", or relative: 30d, 12h, \"15m ago\""));
  }
  return CheckedRange(text, past ? now - *distance : now + *distance);
}

absl::StatusOr<absl::Duration> ParseSpan(std::string_view text) {
  struct Unit {
    std::string_view name;
    absl::Duration length;
  };
  static const Unit kUnits[] = {
      {"ms", absl::Milliseconds(1)}, {"w", absl::Hours(7 * 24)},
      {"d", absl::Hours(24)},        {"h", absl::Hours(1)},
      {"m", absl::Minutes(1)},       {"s", absl::Seconds(1)},
  };
  const absl::Status error = absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CHexEscape(AbslView(text)),
                   "\" is no span of time: use 30d, 12h, 15m, 45s or 2w"));
  Scanner scan(text);
  absl::Duration total;
  do {
    std::string_view digits;
    // Nine digits of any unit stay far from the limits of absl::Duration.
    if (!scan.Digits(digits) || digits.size() > 9) return error;
    int64_t count = 0;
    for (const char c : digits) count = count * 10 + (c - '0');
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (scan.Skip(unit.name)) {
        found = &unit;
        break;
      }
    }
    if (found == nullptr) return error;
    total += count * found->length;
  } while (!scan.AtEnd());
  return total;
}

std::string Rfc3339(absl::Time time) {
  const Millis millis = FloorToMillis(time);
  const absl::CivilSecond second =
      absl::ToCivilSecond(FromMillis(millis), absl::UTCTimeZone());
  const Millis fraction = ((millis % 1000) + 1000) % 1000;
  std::string text = absl::StrFormat(
      "%04d-%02d-%02dT%02d:%02d:%02d", second.year(), second.month(),
      second.day(), second.hour(), second.minute(), second.second());
  if (fraction != 0) absl::StrAppendFormat(&text, ".%03d", fraction);
  text.push_back('Z');
  return text;
}

std::string FormatSpan(absl::Duration span) {
  const int64_t seconds = absl::ToInt64Seconds(span);
  const int64_t days = seconds / 86400;
  const int64_t hours = seconds / 3600 % 24;
  const int64_t minutes = seconds / 60 % 60;
  if (days > 0) return absl::StrCat(days, "d ", hours, "h");
  if (hours > 0) return absl::StrCat(hours, "h ", minutes, "m");
  if (minutes > 0) return absl::StrCat(minutes, "m ", seconds % 60, "s");
  return absl::StrCat(seconds, "s");
}

}  // namespace tokendb
