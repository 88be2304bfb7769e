/**
 * What the author of a plugin or of a script step imports: `definePlugin`, the types of contexts and actions, and the
 * error that says "try again".
 *
 * @module
 */
export type {
  Action,
  ActionType,
  CommandAction,
  EmitAction,
  ProposeAction,
} from "./engine/core/action.ts";
export type {
  AnalysedDurations,
  AnalysedFinding,
  AnalysedHealth,
  AnalysedHealthPart,
  AnalysedRate,
  AnalysedTrend,
  Analysis,
  StepAnalysis,
  WorkflowAnalysis,
} from "./engine/core/analysis.ts";
export { copyJson, type Json, type JsonObject, NotJsonError } from "./engine/core/json.ts";
export {
  type AlwaysThere,
  type ConfigOf,
  definePlugin,
  type HeldForm,
  PLUGIN_PROTOCOL,
  type PluginContext,
  type PluginDefinition,
  type PluginRole,
  type PluginSpan,
  type PluginState,
  type PluginStep,
  type PluginStepContext,
  type Returned,
  type SchemaValue,
  type SpanEvent,
  type SpanQuery,
  type SpanSubscription,
  type StepDecision,
  type Subscription,
  type TickEvent,
  type TickSubscription,
  type TunableParameter,
  type TunableParameters,
} from "./engine/core/plugin.ts";
export type { Script, StepContext } from "./engine/core/step.ts";
export type {
  Attributes,
  AttributeValue,
  Outcome,
  SpanKind,
  SpanReference,
  SpanRole,
} from "./engine/core/span.ts";
export { type ErrorClass, SpanloopError, StepError, TransientError } from "./engine/core/errors.ts";
