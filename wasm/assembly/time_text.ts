// Points in time as text: RFC 3339 with `T` or a space, UTC where no offset is given; or whole
// seconds, or milliseconds from 11 digits on, since 1970. Calendar: Howard Hinnant, "chrono-Compatible
// Low-Level Date Algorithms" (2013).

import {
  TIME_PARTS_DAY,
  TIME_PARTS_HOUR,
  TIME_PARTS_MINUTE,
  TIME_PARTS_MONTH,
  TIME_PARTS_WEEK,
} from "../../out/gen/image";
import { parse_number, parsed_number } from "./number_text";

@inline const SECONDS_PER_DAY: i64 = 86400;
/** Whole numbers of more digits than this are milliseconds. */
@inline const SECONDS_DIGITS_MAX: u32 = 10;
@inline const NO_NUMBER: i32 = -1;

let seconds: i64 = 0;
let year: i32 = 0;
let month: i32 = 0;
let day: i32 = 0;

function days_from_civil(y: i32, m: i32, d: i32): i64 {
  const shifted: i32 = m <= 2 ? y - 1 : y;
  const era: i32 = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const of_era: i32 = shifted - era * 400;
  const of_year: i32 = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const day_of_era: i32 = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return <i64> era * 146097 + <i64> day_of_era - 719468;
}

function set_civil(days: i64): void {
  const z: i64 = days + 719468;
  const era: i64 = (z >= 0 ? z : z - 146096) / 146097;
  const of_era: i32 = <i32> (z - era * 146097);
  const of_400: i32 = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const of_year: i32 = of_era - (365 * of_400 + of_400 / 4 - of_400 / 100);
  const shifted: i32 = (5 * of_year + 2) / 153;
  day = of_year - (153 * shifted + 2) / 5 + 1;
  month = shifted < 10 ? shifted + 3 : shifted - 9;
  year = of_400 + <i32> era * 400 + (month <= 2 ? 1 : 0);
}

/** `count` digits at a place as a number; -1 when one is none. */
function number_at(at: usize, count: u32): i32 {
  let value: i32 = 0;
  for (let i: usize = 0; i < <usize> count; i++) {
    const digit: u32 = <u32> load<u8>(at + i) - 0x30;
    if (digit > 9) return NO_NUMBER;
    value = value * 10 + <i32> digit;
  }
  return value;
}

/** Seconds that an offset (`Z`, `+02:00`, `-0530`, nothing) adds; false when it is none. */
function add_offset(at: usize, end: usize): bool {
  if (at == end) return true;
  const sign: u32 = <u32> load<u8>(at);
  if ((sign | 0x20) == 0x7a) return at + 1 == end;
  if (sign != 0x2b && sign != 0x2d) return false;
  const length: usize = end - at;
  const colon: bool = length == 6 && <u32> load<u8>(at + 3) == 0x3a;
  if (length != 5 && !colon) return false;
  const hours: i32 = number_at(at + 1, 2);
  const minutes: i32 = number_at(at + (colon ? 4 : 3), 2);
  if (hours == NO_NUMBER || minutes == NO_NUMBER || hours > 23 || minutes > 59) return false;
  const offset: i64 = <i64> (hours * 3600 + minutes * 60);
  seconds += sign == 0x2b ? -offset : offset;
  return true;
}

function parse_clock(at: usize, end: usize): bool {
  if (end - at < 5 || <u32> load<u8>(at + 2) != 0x3a) return false;
  const hour: i32 = number_at(at, 2);
  const minute: i32 = number_at(at + 3, 2);
  if (hour == NO_NUMBER || minute == NO_NUMBER || hour > 23 || minute > 59) return false;
  seconds += <i64> (hour * 3600 + minute * 60);
  at += 5;
  if (end - at >= 3 && <u32> load<u8>(at) == 0x3a) {
    const second: i32 = number_at(at + 1, 2);
    if (second == NO_NUMBER || second > 60) return false;
    seconds += <i64> second;
    at += 3;
    if (at < end && <u32> load<u8>(at) == 0x2e) {
      at++;
      const digits: usize = at;
      while (at < end && <u32> load<u8>(at) - 0x30 < 10) at++;
      if (at == digits) return false;
    }
  }
  return add_offset(at, end);
}

function parse_date(text: usize, length: u32): bool {
  if (length < 10 || <u32> load<u8>(text + 4) != 0x2d || <u32> load<u8>(text + 7) != 0x2d) {
    return false;
  }
  const y: i32 = number_at(text, 4);
  const m: i32 = number_at(text + 5, 2);
  const d: i32 = number_at(text + 8, 2);
  if (y == NO_NUMBER || m < 1 || m > 12 || d < 1 || d > 31) return false;
  seconds = days_from_civil(y, m, d) * SECONDS_PER_DAY;
  // 31 June is no day: it would come back as another one.
  set_civil(seconds / SECONDS_PER_DAY);
  if (day != d || month != m) return false;
  if (length == 10) return true;
  const separator: u32 = <u32> load<u8>(text + 10);
  if ((separator | 0x20) != 0x74 && separator != 0x20) return false;
  return parse_clock(text + 11, text + <usize> length);
}

function parse_time(text: usize, length: u32): bool {
  if (parse_date(text, length)) return true;
  if (length > 16 || !parse_number(text, length)) return false;
  const value: f64 = length > SECONDS_DIGITS_MAX ? parsed_number / 1000 : parsed_number;
  seconds = <i64> Math.floor(value);
  return true;
}

function floor_days(): i64 {
  const days: i64 = seconds / SECONDS_PER_DAY;
  return seconds % SECONDS_PER_DAY < 0 ? days - 1 : days;
}

/** Week of ISO 8601: that of the Thursday of the same week. */
function iso_week(days: i64): i32 {
  // 1 January 1970 was a Thursday.
  const weekday: i64 = ((days + 3) % 7 + 7) % 7;
  const thursday: i64 = days - weekday + 3;
  set_civil(thursday);
  return <i32> ((thursday - days_from_civil(year, 1, 1)) / 7) + 1;
}

/** A part (TIME_PARTS) of the time that a text tells, in UTC; -1 when it tells none. */
export function time_part(text: usize, length: u32, part: u32): i32 {
  if (!parse_time(text, length)) return NO_NUMBER;
  const days: i64 = floor_days();
  const rest: i32 = <i32> (seconds - days * SECONDS_PER_DAY);
  if (part == TIME_PARTS_MINUTE) return rest / 60 % 60;
  if (part == TIME_PARTS_HOUR) return rest / 3600;
  if (part == TIME_PARTS_WEEK) return iso_week(days);
  set_civil(days);
  if (part == TIME_PARTS_DAY) return day;
  return part == TIME_PARTS_MONTH ? month : year;
}
