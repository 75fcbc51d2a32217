import { AccountDialogs } from "./account/dialog";
import { base, route } from "./address";
import { RoomPage } from "./room";
import { RoomsPage } from "./rooms/page";
import { Announcer } from "./ui/announce";
import { Toasts } from "./ui/toast";

export function App() {
  const where = route();
  return (
    <>
      {where.view === "room" ? <RoomPage id={where.room} /> : where.view === "rooms" ? <RoomsPage /> : (
        <main class="empty-note stack"><h1>This is not a room's name</h1><p>A name has 1 to 64 of a-z, 0-9, - and _.</p><p><a href={base.href}>All rooms</a></p></main>
      )}
      <AccountDialogs />
      <Toasts />
      <Announcer />
    </>
  );
}
