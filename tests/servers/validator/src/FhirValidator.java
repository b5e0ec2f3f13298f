import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.validation.ValidationResult;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.*;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Questionnaire;

/** The FHIR validator for R4 as a service, for tests. Args: port [folder]...: CodeSystems, ValueSets, StructureDefinitions and
 *  Questionnaires to know (the .json files directly in each folder). POST / {resource} -> OperationOutcome. Binds 127.0.0.1. */
public class FhirValidator {
  public static void main(String[] a) throws Exception {
    FhirContext ctx = FhirContext.forR4();
    ctx.setParserErrorHandler(new StrictErrorHandler());
    Map<String, IBaseResource> questionnaires = new HashMap<>(); // PrePopulatedValidationSupport itself never serves one
    PrePopulatedValidationSupport own = new PrePopulatedValidationSupport(ctx) {
      @Override @SuppressWarnings("unchecked") public <T extends IBaseResource> T fetchResource(Class<T> c, String uri) {
        return c != null && c.getSimpleName().equals("Questionnaire") ? (T) questionnaires.get(uri) : super.fetchResource(c, uri);
      }
    };
    for (String folder : Arrays.copyOfRange(a, 1, a.length)) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        for (Path p : (Iterable<Path>) files.filter(f -> f.toString().endsWith(".json")).sorted()::iterator) {
          IBaseResource resource = ctx.newJsonParser().parseResource(Files.readString(p));
          if (resource instanceof Questionnaire q) {
            questionnaires.put(q.getUrl(), q);
            questionnaires.put(q.getUrl() + "|" + q.getVersion(), q);
          } else {
            own.addResource(resource);
          }
        }
      }
    }
    FhirInstanceValidator instances = new FhirInstanceValidator(new ValidationSupportChain(
        own, new DefaultProfileValidationSupport(ctx), new CommonCodeSystemsTerminologyService(ctx),
        new InMemoryTerminologyServerValidationSupport(ctx), new SnapshotGeneratingValidationSupport(ctx)));
    instances.setErrorForUnknownProfiles(true);
    instances.setNoTerminologyChecks(false);
    ca.uhn.fhir.validation.FhirValidator validator = ctx.newValidator().registerValidatorModule(instances);

    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(a[0])), 0);
    server.createContext("/", exchange -> {
      byte[] reply;
      int code = 200;
      try {
        ValidationResult r = validator.validateWithResult(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        reply = ctx.newJsonParser().encodeResourceToString(r.toOperationOutcome()).getBytes(StandardCharsets.UTF_8);
      } catch (RuntimeException e) { // the validator's own fault, e.g. an enableWhen that meets an answer of another type
        code = 500;
        reply = e.toString().getBytes(StandardCharsets.UTF_8);
      }
      exchange.getResponseHeaders().add("Content-Type", "application/fhir+json");
      exchange.sendResponseHeaders(code, reply.length);
      exchange.getResponseBody().write(reply);
      exchange.close();
    });
    server.start();
    System.out.println("READY http://127.0.0.1:" + server.getAddress().getPort());
  }
}
