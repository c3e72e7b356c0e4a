// Entry of a Worker that serves a store, as the program's own entry does.
import { serveStore } from "../../hive/store/worker.ts";

serveStore();
