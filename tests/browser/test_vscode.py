"""What VS Code asks of a view: its colours, and a policy that lets nothing be fetched. VS Code itself is not run."""

import json

import pytest
from helpers import clip, widget_on
from lab import AUDIT, AXE
from loop import FRAMES, whole_loop

pytestmark = pytest.mark.browser

# The policy of its notebooks with `notebook.experimental.enableCsp`, the page in the place of its own origin.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' https: http: data:; font-src 'self' https:; connect-src https:; child-src https: data:"
)
# Of each theme the body's class and the editor's colours. The notebook's variables are always those of a light one.
THEMES = {
    "vscode-light": ("#ffffff", "#3b3b3b"),
    "vscode-dark": ("#1f1f1f", "#cccccc"),
    "vscode-high-contrast": ("#000000", "#ffffff"),
    "vscode-high-contrast vscode-high-contrast-light": ("#ffffff", "#292929"),
}
HTML = """<!doctype html><html lang="en"><title>lit-widget</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<script>
  window.refused = [];
  document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));
</script>
<link rel="stylesheet" href="widget.css">
<style>
  html {{ --vscode-editor-background: {background}; --vscode-editor-foreground: {foreground};
         --jp-layout-color1: white; --jp-ui-font-color1: #212121; --jp-border-color2: #e0e0e0 }}
  body {{ margin: 0; background: {background} }}
  #host {{ margin: 8px }}
</style>
<body class="{theme}"><main id="host" tabindex="-1"></main></body></html>"""

LOOKS = """(root) => {
    const style = getComputedStyle(root);
    const byte = (text) => Number(text).toString(16).padStart(2, "0");
    const hex = (colour) => `#${colour.match(/\\d+/g).slice(0, 3).map(byte).join("")}`;
    return [hex(style.backgroundColor), hex(style.color)];
}"""


def html(theme):
    background, foreground = THEMES[theme]
    return HTML.format(policy=POLICY, background=background, foreground=foreground, theme=theme)


@pytest.mark.slow
def test_whole_loop_under_its_policy(open_page):
    widget, _ = widget_on("easy", frames=FRAMES)
    page = open_page(widget, html=html("vscode-dark"))
    assert page.page.evaluate("() => fetch('http://lit/').then(() => 'fetched', () => 'refused')") == "refused"
    assert page.page.evaluate("() => window.refused.splice(0)") == ["connect-src"]
    whole_loop(page.view, clip("easy", 0, FRAMES).target)
    assert page.page.evaluate("() => window.refused") == []


def test_its_themes(open_page, artifacts):
    widget, _ = widget_on()
    page = open_page(widget, html=html("vscode-light"))
    # What the system prefers must not matter: an editor can be light on a dark system.
    page.page.emulate_media(color_scheme="dark")
    if AXE.exists():
        page.page.add_script_tag(path=AXE)
    found = {}
    for theme, colours in THEMES.items():
        page.page.evaluate(
            """([theme, [background, foreground]]) => {
                document.body.className = theme;
                document.body.style.background = background;
                document.documentElement.style.setProperty("--vscode-editor-background", background);
                document.documentElement.style.setProperty("--vscode-editor-foreground", foreground);
            }""",
            [theme, colours],
        )
        assert tuple(page.view.root.evaluate(LOOKS)) == colours
        page.view.root.screenshot(path=artifacts / f"{theme.split()[-1]}.png")
        if AXE.exists() and (problems := page.view.root.evaluate(AUDIT)):
            found[theme] = problems
    assert not found, json.dumps(found, indent=1)
