/** What the browser keeps: in this tab (`tab`), or on this device until removed (`device`). */

// A browser may forbid storage altogether; the page then works without memory.
const kept = (storage) => ({
  read(name, otherwise) {
    try {
      return JSON.parse(storage().getItem(name)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  write(name, value) {
    try {
      if (value === undefined) storage().removeItem(name);
      else storage().setItem(name, JSON.stringify(value));
    } catch {
      // Nothing is lost but memory.
    }
  },
});

export const tab = kept(() => sessionStorage);
export const device = kept(() => localStorage);
