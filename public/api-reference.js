// Shows the OpenAPI document with Swagger UI in the place of the page's list of operations. If anything fails the list stays.
(async () => {
  const answer = await fetch("/api/openapi.json");
  if (!answer.ok) return;
  const spec = await answer.json();
  // Swagger UI does not say which scopes a bearer token needs.
  for (const path of Object.values(spec.paths)) {
    for (const operation of Object.values(path)) operation.description = [operation.description, needs(operation)].filter(Boolean).join("\n\n");
  }

  function needs({ security = [] }) {
    const ways = security.map((way) => {
      if (way.key) return way.key.length ? way.key.map((scope) => `\`${scope}\``).join(" and ") : "any key";
      return way.agentSignature ? "the agent’s signature" : "no key";
    });
    return `Needs: ${ways.join(" or ") || "no key"}.`;
  }

  const parts = ({ React }) => ({
    wrapComponents: {
      // A link within the button that opens an operation: a keyboard would stop at it twice.
      DeepLink: () => ({ text }) => React.createElement("span", null, text),
      // There is one server, this one.
      ServersContainer: () => () => null,
    },
  });

  SwaggerUIBundle({
    spec,
    domNode: document.getElementById("api-viewer"),
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    filter: true,
    syntaxHighlight: false,
    validatorUrl: null,
    plugins: [parts],
    onComplete() {
      document.getElementById("api-operations").remove();
      document.querySelector("#api-viewer .operation-filter-input")?.setAttribute("aria-label", "Filter by tag");
    },
  });
})();
