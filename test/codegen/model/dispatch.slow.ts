// The property of telling messages apart, over many more documents.
process.env["WSGEN_RUNS"] ??= "600";
await import("./dispatch.property.test.ts");
