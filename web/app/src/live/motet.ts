import { Motet } from "@motet/client";
import { socketAddress } from "../address";
import { useToken } from "./api";
import { name } from "./identity";

let motet: Motet | null = null;

/** The page's one connection to the server. */
export function connect(token: () => Promise<string | null>): Motet {
  useToken(token);
  motet ??= new Motet({ url: socketAddress, token, name: name.peek() });
  return motet;
}
