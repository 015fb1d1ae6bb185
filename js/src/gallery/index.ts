// The only file of the gallery that meets anywidget.

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { type Channel, Transport } from "../transport";
import { GALLERY, type ToGallery, type ToKernel } from "./messages";
import { type Model, makeView } from "./view";

/** The host calls this once for every model; its views share the line to the kernel and nothing else. */
export default () => {
  let transport: Transport<ToKernel, ToGallery> | undefined;
  const open = (model: unknown): Transport<ToKernel, ToGallery> => {
    transport ??= new Transport(model as Channel, GALLERY);
    return transport;
  };

  return {
    initialize({ model }: InitializeProps) {
      const opened = open(model);
      return () => {
        opened.close();
        transport = undefined;
      };
    },
    render({ model, el }: RenderProps) {
      return makeView(model as unknown as Model, open(model), el);
    },
  };
};
