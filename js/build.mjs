// Bundles each view into the Python package: one script, one style sheet, the same bytes for the same sources.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

await build({
  absWorkingDir: here,
  entryPoints: [
    { in: "src/index.ts", out: "widget" },
    { in: "src/style.css", out: "widget" },
    { in: "src/gallery/index.ts", out: "gallery" },
    { in: "src/gallery.css", out: "gallery" },
  ],
  outdir: "../lit_widget/widget/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "info",
});
