// The only file that meets anywidget.

import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { VIDEO } from "./messages";
import { type Channel, Transport } from "./transport";
import { type Model, makeView, type Traits } from "./view";

/** The host calls this once for every model; its views share the line to the kernel and nothing else. */
export default () => {
  let transport: Transport | undefined;
  const open = (model: unknown): Transport => {
    transport ??= new Transport(model as Channel, VIDEO);
    return transport;
  };

  return {
    initialize({ model }: InitializeProps<Traits & Record<string, unknown>>) {
      const opened = open(model);
      return () => {
        opened.close();
        transport = undefined;
      };
    },
    render({ model, el }: RenderProps<Traits & Record<string, unknown>>) {
      return makeView(model as AnyModel as Model, open(model), el);
    },
  };
};
