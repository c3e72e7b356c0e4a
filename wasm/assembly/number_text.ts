// Numbers in decimal: sign, digits, fraction, exponent.

/** The number that the last text held. */
export let parsed_number: f64 = 0;

/** Longest text of a number, in bytes. */
@inline const NUMBER_TEXT_BYTES_MAX: u32 = 64;
/** Largest exponent that is followed; beyond it the number is 0 or infinite in any case. */
@inline const EXPONENT_MAX: i32 = 400;

let at: usize = 0;
let end: usize = 0;
let mantissa: f64 = 0;

/** Takes digits; returns how many. */
function digits(): i32 {
  const from: usize = at;
  while (at < end && <u32> load<u8>(at) - 0x30 < 10) {
    mantissa = mantissa * 10 + <f64> (<u32> load<u8>(at) - 0x30);
    at++;
  }
  return <i32> (at - from);
}

@inline function next_is(byte: u32): bool {
  return at < end && <u32> load<u8>(at) == byte;
}

function power_of_ten(exponent: i32): f64 {
  let power: f64 = 1;
  for (let i: i32 = 0; i < exponent; i++) power *= 10;
  return power;
}

/** The exponent, from the `e` on; EXPONENT_MAX + 1 where there is none that holds. */
function exponent(): i32 {
  at++;
  const negative: bool = next_is(0x2d);
  if (negative || next_is(0x2b)) at++;
  const kept: f64 = mantissa;
  mantissa = 0;
  const count: i32 = digits();
  const value: f64 = min<f64>(mantissa, <f64> EXPONENT_MAX);
  mantissa = kept;
  if (count == 0) return EXPONENT_MAX + 1;
  return negative ? -<i32> value : <i32> value;
}

/** Reads a whole text as a number into `parsed_number`; false when it is none. */
export function parse_number(text: usize, length: u32): bool {
  if (length == 0 || length > NUMBER_TEXT_BYTES_MAX) return false;
  at = text;
  end = text + <usize> length;
  mantissa = 0;
  const negative: bool = next_is(0x2d);
  if (negative || next_is(0x2b)) at++;
  const whole: i32 = digits();
  let scale: i32 = 0;
  if (next_is(0x2e)) {
    at++;
    scale = digits();
    if (scale == 0) return false;
  }
  if (whole + scale == 0) return false;
  let power: i32 = -scale;
  if (next_is(0x65) || next_is(0x45)) {
    const found: i32 = exponent();
    if (found > EXPONENT_MAX) return false;
    power += found;
  }
  if (at != end) return false;
  const value: f64 = power < 0 ? mantissa / power_of_ten(-power) : mantissa * power_of_ten(power);
  parsed_number = negative ? -value : value;
  return true;
}

/** Reads a text as a number and stores it at `into`; false when it is none. */
export function parse_number_at(text: usize, length: u32, into: usize): bool {
  if (!parse_number(text, length)) return false;
  store<f64>(into, parsed_number);
  return true;
}
