import assert from "node:assert";

import { total } from "./orders";

assert.strictEqual(total([{ price: 2, count: 3 }]), 6);
