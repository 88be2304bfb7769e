import { SpanloopError } from "../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { PluginSpan } from "../core/plugin.ts";
import type { Attributes, EmittedSpan, EndRecord, ReceivedSpan, StartEntry } from "../core/span.ts";
import type { Heard } from "./heard.ts";
import { DEEPEST_GIVEN } from "./given_span.ts";
