/** Returns the local time of day, hours and minutes, of Unix milliseconds. */
export function clockTime(at: number): string {
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(at);
}
