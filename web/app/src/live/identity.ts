import { color, name } from "../preferences";
import { someHue, someName } from "../people";

// No sign-in wall: a guest has a name and a colour from the first second, and changes them in place.
if (!name.value) name.value = someName();
if (!color.value) color.value = someHue();

export { color, name };
