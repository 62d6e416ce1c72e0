// How the page's JavaScript is linted. Types are TypeScript's affair: jsconfig.json.

import js from "@eslint/js";
import globals from "globals";

// What gradio hands to js_on_load.
const GRADIOS = { element: "readonly", props: "readonly", server: "readonly" };
const GRADIOS_FUNCTIONS = { trigger: "readonly", watch: "readonly" };

export default [
  { ignores: [".venv/", ".venv-space/"] },
  js.configs.recommended,
  {
    files: ["pointprompt/ui/static/**/*.js"],
    languageOptions: { ecmaVersion: 2022, globals: globals.browser },
    rules: {
      "consistent-return": "error",
      eqeqeq: "error",
      "max-lines": ["error", 200],
      "no-param-reassign": "error",
      "no-shadow": "error",
      "no-unused-expressions": "error",
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  // What it hands to the page runs there.
  { files: ["tests/e2e/firefox.js"], languageOptions: { globals: globals.browser } },
  // Generated.
  { files: ["pointprompt/ui/static/contract.js"], rules: { "max-lines": "off" } },
  {
    files: ["pointprompt/ui/static/canvas.js"],
    languageOptions: { globals: { ...GRADIOS, ...GRADIOS_FUNCTIONS } },
  },
];
