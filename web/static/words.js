/** Numbers for people. */

const decimal = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const ORDINAL = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinals = new Intl.PluralRules("en", { type: "ordinal" });

export const kudos = (amount) => `${decimal.format(amount)} kudos`;

export const count = (number, one, many = `${one}s`) => `${decimal.format(number)} ${number === 1 ? one : many}`;

export const ordinal = (number) => `${number}${ORDINAL[ordinals.select(number)]}`;

/** A wait in seconds, roughly. */
export function duration(seconds) {
  if (seconds < 1) return "a moment";
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${decimal.format(seconds / 3600)} h`;
}
